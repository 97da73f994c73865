"""Lines of a session log that are cut: the same whatever comes behind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memories.core import session_log_text


@given(st.text(alphabet="ab \n\t\x00\ud83d…", max_size=400), st.integers(2, 12))
def test_a_cut_line_is_the_beginning_of_the_whole_text_on_one_line(text: str, limit: int) -> None:
    whole = session_log_text._one_line(text)
    cut = session_log_text._cut(text, limit)
    assert len(cut) <= limit
    assert cut == whole if len(whole) <= limit else whole.startswith(cut[:-1])


def test_what_begins_with_megabytes_of_space_is_still_found() -> None:
    assert session_log_text._cut(" \n" * 200_000 + "the words", 20) == "the words"
