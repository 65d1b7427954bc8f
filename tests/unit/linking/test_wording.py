import pytest

from shared.linking.wording import Characters, Labels, bare, plain


@pytest.mark.parametrize(
    ("title", "left"),
    [
        ("急招 数控车床师傅 月薪8000", "数控车床师傅"),
        ("注塑车间上下模技工（包吃住）", "注塑车间上下模技工"),
        ("registered nurse (m/f/d)", "registered nurse"),
        ("3D animator", "3D animator"),
        ("（急招）", "（急招）"),
    ],
)
def test_what_ads_put_around_a_title_goes_and_the_title_stays(title: str, left: str):
    assert bare(title) == left


def test_case_width_and_signs_do_not_part_labels():
    assert plain("\uff23++ Developer/Engineer") == plain("c++ developer engineer")
    assert plain("C++") != plain("C")


def test_the_longest_label_inside_a_title_is_found_as_whole_words():
    labels = Labels({"welder": ["a"], "spot welder": ["b"], "elder": ["c"]})
    assert labels.same("Spot Welder") == ("b",)
    assert list(labels.inside("experienced spot welder")) == [(2 / 3, ("b",))]


def test_a_chinese_label_is_found_without_spaces_around_it():
    labels = Labels({"焊工": ["a"], "电焊工": ["b"], "工": ["c"]})
    assert list(labels.inside("熟练电焊工两名")) == [(3 / 7, ("b",))]


@pytest.mark.parametrize("texts", [["焊工", "电焊工", "会计"], ["welder", "spot welder", "accountant"]])
def test_titles_that_share_characters_are_nearer(texts: list[str]):
    near = Characters(texts).closeness(texts[:1], texts)[0]
    assert near[0] == pytest.approx(1, abs=1e-5)
    assert near[0] > near[1] > near[2] >= 0
