"""Recognize the first word of a commit's title that is not an imperative, by a list of verbs.

Only a form of a verb in the list is an objection. So nothing is said against a word that merely looks like one
(`Ping`, `Heed`, `Bias`), nor against a verb that the list lacks.
"""

from __future__ import annotations

import re

VERBS = """
abort accept access adapt add address adjust adopt agree align allocate allow annotate answer append apply approximate
ask assert assign assume assure attach average avoid bail batch be become begin benchmark bind block bound break bring
build bump bundle cache calculate call cancel cast catch centralize change check choose clamp clarify clean clear clip
clone close collect color combine comment commit compare complete comply compute configure connect consider contain
continue convert copy correct count cover crash create cut debug declare decode decrease deduplicate define delete
deny deploy deprecate dereference derive describe detect disable discard discover display divide do document double
download draw drive drop dump duplicate edit eliminate embed enable encapsulate encode end enforce enhance ensure
escape estimate evaluate exceed exclude execute exit expand expect expire explain export expose extend extract fail
feed fetch fill filter find finish fix flag flatten flush fly focus fold follow force format forward freeze gather
generate get give go grant group guard handle harden have help hide hint hoist honor honour hook ignore implement
imply import improve include increase indent infer inform initialise initialize inline insert inspect install
introduce invert iterate join keep label lead leak leave let lift limit link lint list load localize lock log look
loop lose lower maintain make manage map mark mask match measure mention merge migrate minimise minimize mock
modernize modify move multiply mutate name need negate nest normalise normalize note notice obey occur omit open
optimise optimize order organise organize output overflow override pack pad parametrise parametrize parse pass patch
pay perform permit pick pin plan plot plug point polish port prefer prefix prepare preserve prevent print process
produce profile prompt propagate protect prove provide prune publish pull push put quantize quit quote raise randomise
randomize reach read rearrange rebase rebuild recognise recognize recompute record recover redirect reduce refactor
refer reference refine reflect reformat refuse regard register reject relax release reload rely remove rename render
reorder reorganize repair repeat rephrase replace reply report require rerun rescale reset resize resolve respect
restore restrict restructure resume rethrow retry return reuse revert review revise rewrite roll rotate round run
sample save say scale scan schedule scope score see seed select send separate serialize set settle share shed shift
shorten show shrink shuffle sign silence simplify skip slice solve sort spawn specify speed spell split squash
stabilize stack standardise standardize start state stop store strengthen strip style submit substitute subtract
suggest sum supersede supply support suppress surface swap switch synchronize tag take teach test throw tidy toggle
tokenise tokenize touch trace track train transform translate treat trigger trim truncate try tune turn tweak type
unblock uncomment undo unfreeze unify unite unpin unroll unset unwrap update upgrade upload use utilize validate vary
vectorize verify visit wait warn weaken weigh widen wire work wrap write yield zero
"""
# Forms that no rule makes, of verbs in the list; those that are verbs, too, are not here.
IRREGULAR = """
am are became began broke broken brought built caught chose chosen did does done drawn drew driven drove fed found
froze frozen gave given gone got gotten had has held hid hidden is kept led lost made meant paid proven ran rebuilt
reran rewritten rewrote said saw seen sent shown shrank shrunk sped spelt taken taught thought threw thrown took
understood undid undone was went were wove written wrote
"""
ADVERBS = "also always just never now only really still then"
VOWELS = "aeiou"
_VERBS, _IRREGULAR, _ADVERBS = (frozenset(words.split()) for words in (VERBS, IRREGULAR, ADVERBS))


def is_not_imperative(title: str) -> bool:
    """Return whether a title begins with a past, -ing or third-person form of a known verb, adverbs apart."""
    words = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", title.lower())
    while len(words) > 1 and (words[0] in _ADVERBS or (words[0].endswith("ly") and words[0] not in _VERBS)):
        words = words[1:]
    first = words[0] if words else ""
    if first in _VERBS:
        return False
    return first in _IRREGULAR or not _VERBS.isdisjoint(_stems(first))


def _stems(word: str) -> set[str]:
    """Return the words of which this would be a past, -ing or third-person form."""
    stems = set()
    for ending in ("ed", "ing", "s", "es"):
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 2:
            continue
        stems.add(stem)
        if ending in ("ed", "ing"):
            stems.add(stem + "e")
            if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in VOWELS:
                stems.add(stem[:-1])  # stopped, planning
        if ending in ("ed", "es") and stem.endswith("i"):
            stems.add(stem[:-1] + "y")  # tried, applies
    return stems
