from minitorch_course.gradebook.progress import progress_page


def test_every_skill_and_notebook_has_a_row():
    page = progress_page({"community": (1, 4)}, {"02_autodiff": (3, 3)})
    assert "<span>community</span>" in page
    assert '<span style="width:25%"></span>' in page
    assert '<span class="score">1 of 4</span>' in page
    assert "<span>02_autodiff</span>" in page
    assert '<span style="width:100%"></span>' in page


def test_names_are_escaped():
    page = progress_page({"<script>alert(1)</script>": (0, 1)}, {'"><img src=x onerror=alert(1)>': (0, 1)})
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
