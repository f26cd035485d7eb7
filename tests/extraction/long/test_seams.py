"""Texts that a border cuts are one text again, and neighbours that it does not cut stay apart."""

import pytest

from tests.extraction.long.test_merge import lines_of, merged

NOTES = lines_of(
    "Summary",
    "The committee met four times in the year, and agreed that all of the older",
    "stations are to be closed once the new line has been opened to the public, which",
    "the board expects for the spring after next; fares stay as they are until then.",
    "Outlook",
    "Nothing is planned beyond that.",
)
SUMMARY = " ".join(NOTES.all[line].text for line in (1, 2, 3))
SCHEMA = {"type": "object", "properties": {"summary": {"type": "string"}, "outlook": {"type": "string"}}}
SECTIONS = {"type": "object", "properties": {"sections": {"type": "array", "items": {"type": "object", "properties": {
    "title": {"type": "string"}, "text": {"type": "string"}}}}}}  # fmt: skip


def text(first: int, last: int) -> str:
    return " ".join(NOTES.all[line].text for line in range(first, last))


@pytest.mark.parametrize("tail", [2, 3, 4])
def test_a_text_of_the_record_goes_on_over_a_border(tail: int) -> None:
    """Whether the first part was shown some of the rest, all of it, or none."""
    outlook = "Nothing is planned beyond that."
    parts = (
        (0, 0, 2, tail, {"summary": text(1, tail)}),
        (2, 2, 6, 6, {"summary": text(2, 4), "outlook": outlook}),
    )
    found = merged(NOTES, *parts, schema=SCHEMA)
    assert found.data == {"summary": SUMMARY, "outlook": outlook}
    assert found.conflicts == ()


def test_a_text_of_a_row_goes_on_over_several_borders_under_its_own_heading() -> None:
    """The parts after the first may say the heading that was shown to them, or no heading at all."""
    found = merged(
        NOTES,
        (0, 0, 2, 2, {"sections": [{"title": "Summary", "text": text(1, 2)}]}),
        (0, 2, 3, 3, {"sections": [{"title": "Summary", "text": text(2, 3)}]}),
        (3, 3, 6, 6, {"sections": [{"text": text(3, 4)}, {"title": "Outlook", "text": text(5, 6)}]}),
        schema=SECTIONS,
    )
    assert found.data["sections"] == [
        {"title": "Summary", "text": SUMMARY},
        {"title": "Outlook", "text": text(5, 6)},
    ]
    assert found.sources["/sections/0/text"] == (0, "/sections/0/text")


def test_marked_items_go_on_over_a_border() -> None:
    """In a list of paragraphs, what begins with the mark of the items before it is another item of that paragraph."""
    first, rest = "Duties of the board:\n- Plans the year\n- Signs what is due", "- Reports to all members"
    lines = lines_of("Tasks", *first.splitlines(), rest, "End")
    tasks = {"type": "object", "properties": {"tasks": {"type": "array", "items": {"type": "string"}}}}
    found = merged(lines, (0, 0, 4, 4, {"tasks": [first]}), (4, 4, 6, 6, {"tasks": [rest]}), schema=tasks)
    assert found.data == {"tasks": [f"{first}\n{rest}"]}


def test_lines_of_a_text_stay_lines() -> None:
    """A list within a text goes on as it began: each mark on a line of its own."""
    lines = lines_of(
        "Talks", "Invited to many places:", "• Keynote, Soft Robotics (2024)", "• Plenary, Systems (2023)",
        "• Lecture, Automation (2021)", "• Seminars in Zurich and in", "  Stanford", "", "Media",
    )  # fmt: skip
    head = "Invited to many places:\n- Keynote, Soft Robotics (2024)\n- Plenary, Systems (2023)"
    rest = "- Lecture, Automation (2021)\n- Seminars in Zurich and in Stanford"
    found = merged(
        lines,
        (0, 0, 3, 4, {"sections": [{"title": "Talks", "text": head}]}),
        (0, 3, 9, 9, {"sections": [{"title": "Talks", "text": f"- Plenary, Systems (2023)\n{rest}"}]}),
        schema=SECTIONS,
    )
    assert found.data["sections"] == [{"title": "Talks", "text": f"{head}\n{rest}"}]


def test_neighbours_that_say_the_same_but_for_one_text_are_not_one() -> None:
    """Entries of one chapter stand next to each other too; a border between them cuts none of them."""
    lines = lines_of(
        "Articles", *(f"{n}. Kang and Park: {what} of soft machines, Robotics" for n, what in enumerate(
            ("Healing", "Learning", "Climbing", "Grasping", "Sensing"), 1)),
    )  # fmt: skip
    rows = [{"title": "Articles", "text": line.text} for line in lines.all[1:]]
    found = merged(
        lines, (0, 0, 3, 3, {"sections": rows[:2]}), (0, 3, 6, 6, {"sections": rows[2:]}), schema=SECTIONS
    )
    assert found.data["sections"] == rows
    names = ["Ada King of Lovelace", "de Broglie, Louis"]
    lines = lines_of("Staff", *names)
    schema = {"type": "object", "properties": {"staff": {"type": "array", "items": {"type": "string"}}}}
    found = merged(
        lines, (0, 0, 2, 2, {"staff": names[:1]}), (2, 2, 3, 3, {"staff": names[1:]}), schema=schema
    )
    assert found.data["staff"] == names
