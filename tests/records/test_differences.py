"""The keys of differences: what cases are grouped by."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from curator.records.differences import ANY, ASPECTS, Difference

texts = st.text(max_size=8)


def test_values_in_words_are_a_part_of_the_key_from_the_most_specific_to_the_whole_aspect() -> None:
    assert Difference("field", "status", "open", "closed").keys == (
        "field:status:open>closed", "field:status:open>", "field:status:>closed", "field:status", "field:*",
    )  # fmt: skip


def test_numbers_and_ids_of_one_case_are_not_a_part_of_the_key() -> None:
    assert Difference("field", "total", "12", "120", "scaled").keys == ("field:total:scaled", "field:total", "field:*")
    assert Difference("argument", "refund.order", "A-17", "order").keys == ("argument:refund.order", "argument:*")


def test_an_absent_value_is_known_by_its_change_alone() -> None:
    assert Difference("field", "note", "", "urgent", "missing").keys == ("field:note:missing", "field:note", "field:*")


def test_labels_and_tools_are_known_by_their_pair_even_with_digits_or_without_a_side() -> None:
    assert Difference("label", "", "tier 1", "tier 2").keys == ("label::tier 1>tier 2", "label:*")
    assert Difference("tool", "", "", "notify").keys == ("tool::>notify", "tool:*")


@given(st.sampled_from(ASPECTS), texts, texts, texts, texts)
def test_the_keys_of_an_aspect_start_with_it_and_end_with_all_of_it(
    aspect: str, subject: str, given_text: str, expected: str, change: str
) -> None:
    difference = Difference(aspect, subject, given_text, expected, change)  # type: ignore[arg-type]
    keys = difference.keys
    assert keys[-1] == f"{aspect}:{ANY}"
    assert all(key.startswith(f"{aspect}:") for key in keys)
    assert len(set(keys)) == len(keys) or subject == ANY
    assert difference.part.count(":") == 1


def test_letters_of_options_are_not_a_part_of_the_key() -> None:
    assert Difference("value", "option", "A", "B").keys == ("value:option", "value:*")
    assert Difference("value", "answer", "yes", "no").keys[0] == "value:answer:yes>no"
