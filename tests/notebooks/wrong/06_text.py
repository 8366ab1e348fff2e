# %% exercise="count_pairs" says="The last pair of the word is missing" loses=["count_pairs-words", "count_pairs-overlaps", "train_bpe-merges", "train_bpe-ties", "train_bpe-end"]
def count_pairs(words):
    counts = {}
    for ids, times in words:
        for i in range(len(ids) - 2):
            pair = ids[i], ids[i + 1]
            counts[pair] = counts.get(pair, 0) + times
    return counts


# %% exercise="count_pairs" says="Only every second pair was counted" loses=["count_pairs-words", "count_pairs-overlaps", "train_bpe-merges", "train_bpe-ties"]
def count_pairs(words):
    counts = {}
    for ids, times in words:
        for pair in zip(ids[::2], ids[1::2]):
            counts[pair] = counts.get(pair, 0) + times
    return counts


# %% exercise="count_pairs" says="counted as one" loses=["count_pairs-words", "train_bpe-merges"]
def count_pairs(words):
    counts = {}
    for ids, times in words:
        for pair in pairwise(ids):
            pair = min(pair), max(pair)
            counts[pair] = counts.get(pair, 0) + times
    return counts


# %% exercise="count_pairs" says="Each word was counted once" loses=["count_pairs-words", "count_pairs-overlaps", "train_bpe-merges"]
def count_pairs(words):
    counts = {}
    for ids, times in words:
        for pair in pairwise(ids):
            counts[pair] = counts.get(pair, 0) + 1
    return counts


# %% exercise="count_pairs" says="reach from one word into the next" loses=["count_pairs-words", "count_pairs-overlaps", "train_bpe-merges"]
def count_pairs(words):
    flat = [i for ids, times in words for i in ids * times]
    return dict(Counter(pairwise(flat)))


# %% exercise="count_pairs" says="Pairs that overlap were left out" loses=["count_pairs-overlaps"]
def count_pairs(words):
    counts = {}
    for ids, times in words:
        i = 0
        while i < len(ids) - 1:
            pair = ids[i], ids[i + 1]
            counts[pair] = counts.get(pair, 0) + times
            i += 2 if ids[i] == ids[i + 1] and ids[i + 1 : i + 3] == [ids[i]] * 2 else 1
    return counts


# %% exercise="count_pairs" says="not start a new one" loses=["count_pairs-words", "count_pairs-overlaps", "train_bpe-merges", "train_bpe-ties"]
def count_pairs(words):
    return {pair: times for ids, times in words for pair in pairwise(ids)}


# %% exercise="merge" says="Both ids of the pair are used up" loses=["merge-pairs", "merge-runs", "train_bpe-merges", "train_bpe-ties", "train_bpe-end", "encode-order", "encode-words", "encode_special-parts", "encode_special-names"]
def merge(ids, pair, new):
    merged = []
    for i in range(len(ids)):
        merged.append(new if tuple(ids[i : i + 2]) == pair else ids[i])
    return merged


# %% exercise="merge" says="Only the first place was merged" loses=["merge-pairs", "merge-runs", "train_bpe-ties", "train_bpe-end"]
def merge(ids, pair, new):
    for i in range(len(ids) - 1):
        if (ids[i], ids[i + 1]) == pair:
            return [*ids[:i], new, *ids[i + 2 :]]
    return list(ids)


# %% exercise="merge" says="merged in either order" loses=["merge-pairs", "train_bpe-ties", "encode-words"]
def merge(ids, pair, new):
    merged, i = [], 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) in (pair, pair[::-1]):
            merged.append(new)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


# %% exercise="merge" says="The last id got lost" loses=["merge-pairs", "merge-runs", "train_bpe-merges", "train_bpe-ties", "encode-order", "encode-words", "encode_special-parts"]
def merge(ids, pair, new):
    merged, i = [], 0
    while i < len(ids) - 1:
        if (ids[i], ids[i + 1]) == pair:
            merged.append(new)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


# %% exercise="merge" says="merged from the right" loses=["merge-runs"]
def merge(ids, pair, new):
    merged, i = [], len(ids) - 1
    while i >= 0:
        if i > 0 and (ids[i - 1], ids[i]) == pair:
            merged.insert(0, new)
            i -= 2
        else:
            merged.insert(0, ids[i])
            i -= 1
    return merged


# %% exercise="merge" says="The list that was given has changed" loses=["merge-pairs"]
def merge(ids, pair, new):
    i = 0
    while i < len(ids) - 1:
        if (ids[i], ids[i + 1]) == pair:
            ids[i : i + 2] = [new]
        i += 1
    return ids


# %% exercise="split_words" says="The spaces are lost" loses=["split_words-words", "split_words-white_space", "split_words-scripts", "train_bpe-merges", "train_bpe-ties", "encode-words"]
def split_words(text):
    return re.findall(r"'(?:s|t|re|ve|m|ll|d)|[^\W\d_]+|\d+|(?:[^\w\s]|_)+", text)


# %% exercise="split_words" says="A space is a word of its own" loses=["split_words-words", "split_words-white_space", "split_words-scripts", "train_bpe-merges", "train_bpe-ties"]
def split_words(text):
    return re.findall(r"'(?:s|t|re|ve|m|ll|d)|[^\W\d_]+|\d+|(?:[^\w\s]|_)+|\s+(?!\S)|\s+", text)


# %% exercise="split_words" says="at the end of the word before it" loses=["split_words-words", "split_words-white_space", "split_words-scripts", "train_bpe-merges", "train_bpe-ties", "encode-words"]
def split_words(text):
    return re.findall(r"'(?:s|t|re|ve|m|ll|d) ?|[^\W\d_]+ ?|\d+ ?|(?:[^\w\s]|_)+ ?|\s+", text)


# %% exercise="split_words" says="cuts at white space only" loses=["split_words-words", "split_words-white_space", "split_words-scripts", "train_bpe-merges", "train_bpe-ties", "encode-words"]
def split_words(text):
    return text.split()


# %% exercise="split_words" says="The short forms came apart" loses=["split_words-words"]
def split_words(text):
    return re.findall(r" ?[^\W\d_]+| ?\d+| ?(?:[^\w\s]|_)+|'(?:s|t|re|ve|m|ll|d)|\s+(?!\S)|\s+", text)


# %% exercise="split_words" says="gives only what stands between round brackets" loses=["split_words-words", "split_words-white_space", "split_words-scripts", "train_bpe-merges", "train_bpe-ties", "train_bpe-end", "encode-order", "encode-words", "encode_special-parts", "encode_special-names"]
def split_words(text):
    return re.findall(r"'(s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?(?:[^\w\s]|_)+|\s+(?!\S)|\s+", text)


# %% exercise="split_words" says="that is what \\w stands for" loses=["split_words-words", "split_words-scripts"]
def split_words(text):
    return re.findall(r"'(?:s|t|re|ve|m|ll|d)| ?\w+| ?[^\w\s]+|\s+(?!\S)|\s+", text)


# %% exercise="split_words" says="`_` is lost" loses=["split_words-words"]
def split_words(text):
    return re.findall(r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?[^\w\s]+|\s+(?!\S)|\s+", text)


# %% exercise="split_words" says="Letters and digits are in one word" loses=["split_words-words", "split_words-scripts"]
def split_words(text):
    return re.findall(r"'(?:s|t|re|ve|m|ll|d)| ?[^\W_]+| ?(?:[^\w\s]|_)+|\s+(?!\S)|\s+", text)


# %% exercise="split_words" says="Each sign is a word of its own" loses=["split_words-words"]
def split_words(text):
    return re.findall(r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?(?:[^\w\s]|_)|\s+(?!\S)|\s+", text)


# %% exercise="split_words" says="Rule 5 is missing" loses=["split_words-white_space"]
def split_words(text):
    return re.findall(r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?(?:[^\w\s]|_)+|\s+", text)


# %% exercise="split_words" says="White space is lost where no word takes it" loses=["split_words-white_space"]
def split_words(text):
    return re.findall(r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?(?:[^\w\s]|_)+", text)


# %% exercise="split_words" says="Only the letters a to z count" loses=["split_words-scripts", "encode-words"]
def split_words(text):
    return re.findall(r"'(?:s|t|re|ve|m|ll|d)| ?[a-zA-Z]+| ?\d+| ?[^\sa-zA-Z\d]+|\s+(?!\S)|\s+", text)


# %% exercise="train_bpe" says="Of pairs that are equally frequent" loses=["train_bpe-merges", "train_bpe-ties"]
def train_bpe(text, vocab_size):
    words = [(list(word.encode()), times) for word, times in Counter(split_words(text)).items()]
    merges = []
    for new in range(256, vocab_size):
        counts = count_pairs(words)
        if not counts:
            break
        best = max(counts, key=counts.get)
        words = [(merge(ids, best, new), times) for ids, times in words]
        merges.append(best)
    return merges


# %% exercise="train_bpe" says="One merge too many" loses=["train_bpe-merges", "train_bpe-ties", "train_bpe-end"]
def train_bpe(text, vocab_size):
    words = [(list(word.encode()), times) for word, times in Counter(split_words(text)).items()]
    merges = []
    while 255 + len(merges) < vocab_size:
        counts = count_pairs(words)
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        words = [(merge(ids, best, 256 + len(merges)), times) for ids, times in words]
        merges.append(best)
    return merges


# %% exercise="train_bpe" says="One merge is missing" loses=["train_bpe-merges", "train_bpe-ties"]
def train_bpe(text, vocab_size):
    words = [(list(word.encode()), times) for word, times in Counter(split_words(text)).items()]
    merges = []
    for new in range(256, vocab_size - 1):
        counts = count_pairs(words)
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        words = [(merge(ids, best, new), times) for ids, times in words]
        merges.append(best)
    return merges


# %% exercise="train_bpe" says="Each different word was counted once" loses=["train_bpe-merges"]
def train_bpe(text, vocab_size):
    words = [(list(word.encode()), 1) for word in dict.fromkeys(split_words(text))]
    merges = []
    for new in range(256, vocab_size):
        counts = count_pairs(words)
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        words = [(merge(ids, best, new), times) for ids, times in words]
        merges.append(best)
    return merges


# %% exercise="train_bpe" says="reaches over the end of a word" loses=["train_bpe-merges"]
def train_bpe(text, vocab_size):
    words = [(list(text.encode()), 1)]
    merges = []
    for new in range(256, vocab_size):
        counts = count_pairs(words)
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        words = [(merge(ids, best, new), times) for ids, times in words]
        merges.append(best)
    return merges


# %% exercise="train_bpe" says="The first new id is 256" loses=["train_bpe-merges", "train_bpe-ties", "train_bpe-end"]
def train_bpe(text, vocab_size):
    words = [(list(word.encode()), times) for word, times in Counter(split_words(text)).items()]
    merges = []
    for new in range(257, vocab_size + 1):
        counts = count_pairs(words)
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        words = [(merge(ids, best, new), times) for ids, times in words]
        merges.append(best)
    return merges


# %% exercise="train_bpe" says="there was a pair that occurs once" loses=["train_bpe-ties", "train_bpe-end"]
def train_bpe(text, vocab_size):
    words = [(list(word.encode()), times) for word, times in Counter(split_words(text)).items()]
    merges = []
    for new in range(256, vocab_size):
        counts = count_pairs(words)
        if not counts or max(counts.values()) < 2:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        words = [(merge(ids, best, new), times) for ids, times in words]
        merges.append(best)
    return merges


# %% exercise="encode" says="merged from left to right" loses=["encode-order", "encode-words"]
def encode(text, merges):
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    ids = []
    for word in split_words(text):
        piece = list(word.encode())
        while known := [pair for pair in pairwise(piece) if pair in ranks]:
            piece = merge(piece, known[0], 256 + ranks[known[0]])
        ids += piece
    return ids


# %% exercise="encode" says="Only one merge was made" loses=["encode-order", "encode-words", "encode_special-parts"]
def encode(text, merges):
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    ids = []
    for word in split_words(text):
        piece = list(word.encode())
        if known := [pair for pair in pairwise(piece) if pair in ranks]:
            earliest = min(known, key=ranks.get)
            piece = merge(piece, earliest, 256 + ranks[earliest])
        ids += piece
    return ids


# %% exercise="encode" says="The merge that was learned last went first" loses=["encode-order", "encode-words"]
def encode(text, merges):
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    ids = []
    for word in split_words(text):
        piece = list(word.encode())
        while known := [pair for pair in pairwise(piece) if pair in ranks]:
            latest = max(known, key=ranks.get)
            piece = merge(piece, latest, 256 + ranks[latest])
        ids += piece
    return ids


# %% exercise="encode" says="The new ids begin at 256" loses=["encode-order", "encode-words", "encode_special-parts", "encode_special-names"]
def encode(text, merges):
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    ids = []
    for word in split_words(text):
        piece = list(word.encode())
        while known := [pair for pair in pairwise(piece) if pair in ranks]:
            earliest = min(known, key=ranks.get)
            piece = merge(piece, earliest, ranks[earliest])
        ids += piece
    return ids


# %% exercise="encode" says="These are code points" loses=["encode-words"]
def encode(text, merges):
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    ids = []
    for word in split_words(text):
        piece = [ord(character) for character in word]
        while known := [pair for pair in pairwise(piece) if pair in ranks]:
            earliest = min(known, key=ranks.get)
            piece = merge(piece, earliest, 256 + ranks[earliest])
        ids += piece
    return ids


# %% exercise="encode" says="over the border of two words" loses=["encode-words"]
def encode(text, merges):
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    piece = list(text.encode())
    while known := [pair for pair in pairwise(piece) if pair in ranks]:
        earliest = min(known, key=ranks.get)
        piece = merge(piece, earliest, 256 + ranks[earliest])
    return piece


# %% exercise="decode" says="Each id was decoded on its own" loses=["decode-text", "decode-invalid"]
def decode(ids, merges, special=()):
    pieces = [bytes([b]) for b in range(256)]
    for left, right in merges:
        pieces.append(pieces[left] + pieces[right])
    pieces += [name.encode() for name in special]
    return "".join(pieces[i].decode("utf-8", errors="replace") for i in ids)


# %% exercise="decode" says="with chr or latin-1" loses=["decode-text", "decode-invalid"]
def decode(ids, merges, special=()):
    pieces = [chr(b) for b in range(256)]
    for left, right in merges:
        pieces.append(pieces[left] + pieces[right])
    pieces += special
    return "".join(pieces[i] for i in ids)


# %% exercise="decode" says="Bytes that make no character were dropped" loses=["decode-invalid"]
def decode(ids, merges, special=()):
    pieces = [bytes([b]) for b in range(256)]
    for left, right in merges:
        pieces.append(pieces[left] + pieces[right])
    pieces += [name.encode() for name in special]
    return b"".join(pieces[i] for i in ids).decode("utf-8", errors="ignore")


# %% exercise="decode" says="The bytes are shown as escapes" loses=["decode-invalid"]
def decode(ids, merges, special=()):
    pieces = [bytes([b]) for b in range(256)]
    for left, right in merges:
        pieces.append(pieces[left] + pieces[right])
    pieces += [name.encode() for name in special]
    return b"".join(pieces[i] for i in ids).decode("utf-8", errors="backslashreplace")


# %% exercise="decode" says="Left and right are exchanged" loses=["decode-text", "decode-special"]
def decode(ids, merges, special=()):
    pieces = [bytes([b]) for b in range(256)]
    for left, right in merges:
        pieces.append(pieces[right] + pieces[left])
    pieces += [name.encode() for name in special]
    return b"".join(pieces[i] for i in ids).decode("utf-8", errors="replace")


# %% exercise="decode" says="Special tokens were left out" loses=["decode-special"]
def decode(ids, merges, special=()):
    pieces = [bytes([b]) for b in range(256)]
    for left, right in merges:
        pieces.append(pieces[left] + pieces[right])
    return b"".join(pieces[i] for i in ids if i < len(pieces)).decode("utf-8", errors="replace")


# %% exercise="decode" says="The ids of special tokens follow those of all merges" loses=["decode-special"]
def decode(ids, merges, special=()):
    pieces = [bytes([b]) for b in range(256)]
    pieces += [name.encode() for name in special]
    for left, right in merges:
        pieces.append(pieces[left] + pieces[right])
    return b"".join(pieces[i] for i in ids).decode("utf-8", errors="replace")


# %% exercise="encode_special" says="The names were encoded as ordinary text" loses=["encode_special-parts", "encode_special-names"]
def encode_special(text, merges, special):
    return encode(text, merges)


# %% exercise="encode_special" says="The special tokens are lost" loses=["encode_special-parts", "encode_special-names"]
def encode_special(text, merges, special):
    ids_of = {name: 256 + len(merges) + i for i, name in enumerate(special)}
    longest_first = sorted(special, key=len, reverse=True)
    ids = []
    for part in re.split("|".join(map(re.escape, longest_first)), text):
        ids += [ids_of[part]] if part in ids_of else encode(part, merges)
    return ids


# %% exercise="encode_special" says="A name was read as a pattern" loses=["encode_special-names"]
def encode_special(text, merges, special):
    ids_of = {name: 256 + len(merges) + i for i, name in enumerate(special)}
    longest_first = sorted(special, key=len, reverse=True)
    ids = []
    for part in re.split("(" + "|".join(longest_first) + ")", text):
        ids += [ids_of[part]] if part in ids_of else encode(part, merges)
    return ids


# %% exercise="encode_special" says="The shorter name was taken where the longer one fits" loses=["encode_special-names"]
def encode_special(text, merges, special):
    ids_of = {name: 256 + len(merges) + i for i, name in enumerate(special)}
    ids = []
    for part in re.split("(" + "|".join(map(re.escape, special)) + ")", text):
        ids += [ids_of[part]] if part in ids_of else encode(part, merges)
    return ids


# %% exercise="encode_special" says="follow those of all merges" loses=["encode_special-parts", "encode_special-names"]
def encode_special(text, merges, special):
    ids_of = {name: 256 + i for i, name in enumerate(special)}
    longest_first = sorted(special, key=len, reverse=True)
    ids = []
    for part in re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text):
        ids += [ids_of[part]] if part in ids_of else encode(part, merges)
    return ids


# %% exercise="encode_special" says="in the order of the list `special`" loses=["encode_special-parts", "encode_special-names"]
def encode_special(text, merges, special):
    longest_first = sorted(special, key=len, reverse=True)
    ids_of = {name: 256 + len(merges) + i for i, name in enumerate(longest_first)}
    ids = []
    for part in re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text):
        ids += [ids_of[part]] if part in ids_of else encode(part, merges)
    return ids


# %% exercise="encode_special" says="The text between special tokens goes through `encode`" loses=["encode_special-parts", "encode_special-names"]
def encode_special(text, merges, special):
    ids_of = {name: 256 + len(merges) + i for i, name in enumerate(special)}
    longest_first = sorted(special, key=len, reverse=True)
    ids = []
    for part in re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text):
        ids += [ids_of[part]] if part in ids_of else list(part.encode())
    return ids


# %% exercise="find_copies" says="The last run is missing" loses=["find_copies-shingles"]
def shingles(text, size):
    words = text.lower().split()
    return {tuple(words[i : i + size]) for i in range(max(len(words) - size, 1)) if words}


def find_copies(rows, others=None, size=5, share=0.5):
    known = [shingles(row, size) for row in rows]
    sources = known if others is None else [shingles(other, size) for other in others]
    found = []
    for i, row in enumerate(known):
        for j, source in enumerate(sources[:i] if others is None else sources):
            if row and len(row & source) >= share * len(row):
                found.append((i + 1, j + 1))
                break
    return found


# %% exercise="find_copies" says="Capitals were kept" loses=["find_copies-shingles", "find_copies-above"]
def shingles(text, size):
    words = text.split()
    return {tuple(words[i : i + size]) for i in range(max(len(words) - size + 1, 1)) if words}


def find_copies(rows, others=None, size=5, share=0.5):
    known = [shingles(row, size) for row in rows]
    sources = known if others is None else [shingles(other, size) for other in others]
    found = []
    for i, row in enumerate(known):
        for j, source in enumerate(sources[:i] if others is None else sources):
            if row and len(row & source) >= share * len(row):
                found.append((i + 1, j + 1))
                break
    return found


# %% exercise="find_copies" says="The runs do not overlap" loses=["find_copies-shingles"]
def shingles(text, size):
    words = text.lower().split()
    return {tuple(words[i : i + size]) for i in range(0, max(len(words) - size + 1, 1), size) if words}


def find_copies(rows, others=None, size=5, share=0.5):
    known = [shingles(row, size) for row in rows]
    sources = known if others is None else [shingles(other, size) for other in others]
    found = []
    for i, row in enumerate(known):
        for j, source in enumerate(sources[:i] if others is None else sources):
            if row and len(row & source) >= share * len(row):
                found.append((i + 1, j + 1))
                break
    return found


# %% exercise="find_copies" says="Runs at the end are too short" loses=["find_copies-shingles", "find_copies-above", "find_copies-others"]
def shingles(text, size):
    words = text.lower().split()
    return {tuple(words[i : i + size]) for i in range(len(words))}


def find_copies(rows, others=None, size=5, share=0.5):
    known = [shingles(row, size) for row in rows]
    sources = known if others is None else [shingles(other, size) for other in others]
    found = []
    for i, row in enumerate(known):
        for j, source in enumerate(sources[:i] if others is None else sources):
            if row and len(row & source) >= share * len(row):
                found.append((i + 1, j + 1))
                break
    return found


# %% exercise="find_copies" says="A text shorter than a shingle has none" loses=["find_copies-shingles"]
def shingles(text, size):
    words = text.lower().split()
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def find_copies(rows, others=None, size=5, share=0.5):
    known = [shingles(row, size) for row in rows]
    sources = known if others is None else [shingles(other, size) for other in others]
    found = []
    for i, row in enumerate(known):
        for j, source in enumerate(sources[:i] if others is None else sources):
            if row and len(row & source) >= share * len(row):
                found.append((i + 1, j + 1))
                break
    return found


# %% exercise="find_copies" says="Rows are numbered from 1" loses=["find_copies-above", "find_copies-others"]
def shingles(text, size):
    words = text.lower().split()
    return {tuple(words[i : i + size]) for i in range(max(len(words) - size + 1, 1)) if words}


def find_copies(rows, others=None, size=5, share=0.5):
    known = [shingles(row, size) for row in rows]
    sources = known if others is None else [shingles(other, size) for other in others]
    found = []
    for i, row in enumerate(known):
        for j, source in enumerate(sources[:i] if others is None else sources):
            if row and len(row & source) >= share * len(row):
                found.append((i, j))
                break
    return found


# %% exercise="find_copies" says="A row was compared with itself" loses=["find_copies-above"]
def shingles(text, size):
    words = text.lower().split()
    return {tuple(words[i : i + size]) for i in range(max(len(words) - size + 1, 1)) if words}


def find_copies(rows, others=None, size=5, share=0.5):
    known = [shingles(row, size) for row in rows]
    sources = known if others is None else [shingles(other, size) for other in others]
    found = []
    for i, row in enumerate(known):
        for j, source in enumerate(sources):
            if row and len(row & source) >= share * len(row) and (others is not None or i == j):
                found.append((i + 1, j + 1))
                break
    return found


# %% exercise="find_copies" says="The original was reported as well" loses=["find_copies-above"]
def shingles(text, size):
    words = text.lower().split()
    return {tuple(words[i : i + size]) for i in range(max(len(words) - size + 1, 1)) if words}


def find_copies(rows, others=None, size=5, share=0.5):
    known = [shingles(row, size) for row in rows]
    sources = known if others is None else [shingles(other, size) for other in others]
    found = []
    for i, row in enumerate(known):
        for j, source in enumerate(sources):
            if row and len(row & source) >= share * len(row) and (others is not None or i != j):
                found.append((i + 1, j + 1))
                break
    return found


# %% exercise="find_copies" says="All sources of a row are reported" loses=["find_copies-above", "find_copies-others"]
def shingles(text, size):
    words = text.lower().split()
    return {tuple(words[i : i + size]) for i in range(max(len(words) - size + 1, 1)) if words}


def find_copies(rows, others=None, size=5, share=0.5):
    known = [shingles(row, size) for row in rows]
    sources = known if others is None else [shingles(other, size) for other in others]
    found = []
    for i, row in enumerate(known):
        for j, source in enumerate(sources[:i] if others is None else sources):
            if row and len(row & source) >= share * len(row):
                found.append((i + 1, j + 1))
    return found


# %% exercise="find_copies" says="The share was taken of the other row" loses=["find_copies-others"]
def shingles(text, size):
    words = text.lower().split()
    return {tuple(words[i : i + size]) for i in range(max(len(words) - size + 1, 1)) if words}


def find_copies(rows, others=None, size=5, share=0.5):
    known = [shingles(row, size) for row in rows]
    sources = known if others is None else [shingles(other, size) for other in others]
    found = []
    for i, row in enumerate(known):
        for j, source in enumerate(sources[:i] if others is None else sources):
            if row and len(row & source) >= share * len(source):
                found.append((i + 1, j + 1))
                break
    return found


# %% exercise="find_copies" says="Exactly the share counts too" loses=["find_copies-others"]
def shingles(text, size):
    words = text.lower().split()
    return {tuple(words[i : i + size]) for i in range(max(len(words) - size + 1, 1)) if words}


def find_copies(rows, others=None, size=5, share=0.5):
    known = [shingles(row, size) for row in rows]
    sources = known if others is None else [shingles(other, size) for other in others]
    found = []
    for i, row in enumerate(known):
        for j, source in enumerate(sources[:i] if others is None else sources):
            if row and len(row & source) > share * len(row):
                found.append((i + 1, j + 1))
                break
    return found


# %% exercise="find_copies" says="Only equal rows were found" loses=["find_copies-above", "find_copies-others"]
def shingles(text, size):
    words = text.lower().split()
    return {tuple(words[i : i + size]) for i in range(max(len(words) - size + 1, 1)) if words}


def find_copies(rows, others=None, size=5, share=0.5):
    rows = [" ".join(row.lower().split()) for row in rows]
    sources = rows if others is None else [" ".join(other.lower().split()) for other in others]
    found = []
    for i, row in enumerate(rows):
        for j, source in enumerate(sources[:i] if others is None else sources):
            if row and row == source:
                found.append((i + 1, j + 1))
                break
    return found


# %% exercise="datasheet" says="Characters and bytes are the same number" loses=["datasheet-counts", "datasheet-tokens"]
def datasheet(documents, encode):
    characters = "".join(documents)
    size = len(characters)
    return {
        "documents": len(documents),
        "characters": len(characters),
        "bytes": size,
        "distinct characters": len(set(characters)),
        "outside ASCII": sum(not c.isascii() for c in characters) / len(characters),
        "tokens per byte": sum(len(encode(document)) for document in documents) / size,
        "addresses": sum(len(ADDRESS.findall(document)) for document in documents),
        "sha256": hashlib.sha256("\n\n".join(documents).encode()).hexdigest(),
    }


# %% exercise="datasheet" says="The blank lines between documents were counted" loses=["datasheet-counts", "datasheet-tokens"]
def datasheet(documents, encode):
    characters = "\n\n".join(documents)
    size = len(characters.encode())
    return {
        "documents": len(documents),
        "characters": len(characters),
        "bytes": size,
        "distinct characters": len(set(characters)),
        "outside ASCII": sum(not c.isascii() for c in characters) / len(characters),
        "tokens per byte": sum(len(encode(document)) for document in documents) / size,
        "addresses": sum(len(ADDRESS.findall(document)) for document in documents),
        "sha256": hashlib.sha256(characters.encode()).hexdigest(),
    }


# %% exercise="datasheet" says="The share was taken of the distinct characters" loses=["datasheet-counts"]
def datasheet(documents, encode):
    characters = "".join(documents)
    size = len(characters.encode())
    distinct = set(characters)
    return {
        "documents": len(documents),
        "characters": len(characters),
        "bytes": size,
        "distinct characters": len(distinct),
        "outside ASCII": sum(not c.isascii() for c in distinct) / len(distinct),
        "tokens per byte": sum(len(encode(document)) for document in documents) / size,
        "addresses": sum(len(ADDRESS.findall(document)) for document in documents),
        "sha256": hashlib.sha256("\n\n".join(documents).encode()).hexdigest(),
    }


# %% exercise="datasheet" says="the mean of the documents' rates" loses=["datasheet-tokens"]
def datasheet(documents, encode):
    characters = "".join(documents)
    return {
        "documents": len(documents),
        "characters": len(characters),
        "bytes": len(characters.encode()),
        "distinct characters": len(set(characters)),
        "outside ASCII": sum(not c.isascii() for c in characters) / len(characters),
        "tokens per byte": sum(len(encode(d)) / len(d.encode()) for d in documents) / len(documents),
        "addresses": sum(len(ADDRESS.findall(document)) for document in documents),
        "sha256": hashlib.sha256("\n\n".join(documents).encode()).hexdigest(),
    }


# %% exercise="datasheet" says="Each is encoded on its own" loses=["datasheet-tokens"]
def datasheet(documents, encode):
    characters = "".join(documents)
    size = len(characters.encode())
    return {
        "documents": len(documents),
        "characters": len(characters),
        "bytes": size,
        "distinct characters": len(set(characters)),
        "outside ASCII": sum(not c.isascii() for c in characters) / len(characters),
        "tokens per byte": len(encode(characters)) / size,
        "addresses": sum(len(ADDRESS.findall(document)) for document in documents),
        "sha256": hashlib.sha256("\n\n".join(documents).encode()).hexdigest(),
    }


# %% exercise="datasheet" says="Each address was counted once" loses=["datasheet-identity"]
def datasheet(documents, encode):
    characters = "".join(documents)
    size = len(characters.encode())
    return {
        "documents": len(documents),
        "characters": len(characters),
        "bytes": size,
        "distinct characters": len(set(characters)),
        "outside ASCII": sum(not c.isascii() for c in characters) / len(characters),
        "tokens per byte": sum(len(encode(document)) for document in documents) / size,
        "addresses": len({address for document in documents for address in ADDRESS.findall(document)}),
        "sha256": hashlib.sha256("\n\n".join(documents).encode()).hexdigest(),
    }


# %% exercise="datasheet" says="without blank lines between them" loses=["datasheet-identity"]
def datasheet(documents, encode):
    characters = "".join(documents)
    size = len(characters.encode())
    return {
        "documents": len(documents),
        "characters": len(characters),
        "bytes": size,
        "distinct characters": len(set(characters)),
        "outside ASCII": sum(not c.isascii() for c in characters) / len(characters),
        "tokens per byte": sum(len(encode(document)) for document in documents) / size,
        "addresses": sum(len(ADDRESS.findall(document)) for document in documents),
        "sha256": hashlib.sha256(characters.encode()).hexdigest(),
    }
