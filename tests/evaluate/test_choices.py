"""Options are read from free text, never guessed."""

import json

import pytest

from metier.evaluate.choices import options_of, read_choices

PROMPT = "Which?\nA. Asthma\nB. Pneumonia\nC. C-reactive protein\nD. Vitamin D"

READ = [
    ("答案是C", "C"), ("选 C。", "C"), ("故选ABD", "ABD"), ("【答案】C", "C"), ("正确答案：Ａ", "A"), ("答案选B", "B"),
    ("答案：A，B，D", "ABD"), ("A、B、D", "ABD"), ("应选择D选项", "D"),
    ("正确的是A。", "A"), ("因此，正确选项为 C", "C"),
    ("这题选c", "C"), ("本题应该选 B、D", "BD"), ("选项C正确", "C"), ("答案：(C)", "C"),
    ("所以答案为“E”。", "E"),
    ("Answer: B", "B"), ("(B)", "B"), ("The correct option is **D**", "D"), ("C", "C"), ("c", "C"), ("answer: c", "C"),
    ("B. Pneumonia", "B"), ("B. Pneumonia\nbecause of the fever", "B"),
    ("\\boxed{C}", "C"), ("$\\boxed{\\text{D}}$", "D"),
    ("I would choose option E because", "E"), ("B is the correct answer", "B"), ("Therefore, the answer is (C).", "C"),
    ("Answer: A, C and D", "ACD"), ("The best choice is C: foo", "C"),
    ("It could be B.\n\nC", "C"), ("D is correct.", "D"),
    ("The answer is **C. Pneumonia**", "C"), ("The correct answer is: D) Foo", "D"), ("Answer：A B D", "ABD"),
]  # fmt: skip
LAST_OR_DENIED = [
    ("Answer: A. Wait, actually the answer is B", "B"), ("答案不是A，而是B", "B"), ("不选A，选B", "B"),
    ("排除A、B、C，所以选D", "D"), ("错误答案是A，正确答案是B", "B"), ("The answer isn't A, it's C.", "C"),
    ("The answer is not A but B.", "B"),
    ("不包括苍术（B错，为本题正确答案）", "B"), ("先看是A。\n答案：A\n再想，答案：D", "D"),
]  # fmt: skip
UNREADABLE = [
    "", "答案不是A", "我不选A", "选A还是选B？", "The answer is A or B", "A patient with fever",
    "The answer is A patient",
    "The answer is C-reactive protein", "答案是C反应蛋白", "答案是B细胞", "E. coli is the cause",
    "BAD", "None of these",
    "Answer: All of the above", "A. foo\nB. bar\nC. baz", "Answer:\nA. foo\nB. bar\nC. baz", "A错误，B正确",
    "The answer is not A.", "wrong answer is A", "Take vitamin D and see hepatitis B.", "我不知道。",
    "首选阿司匹林（B对），消炎痛不作为首选（C错）", "不能因淋巴结肿大而误选择答案E。", "噪声 90dB（A）以上（C对BD错）",
    "青霉素G对细菌有效",
]  # fmt: skip


@pytest.mark.parametrize(("text", "letters"), READ + LAST_OR_DENIED)
def test_stated_options_are_read(text, letters):
    assert read_choices(text) == letters


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_not_stated_is_not_guessed(text):
    assert read_choices(text) is None


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("The answer is pneumonia.", "B"),
        ("Pneumonia", "B"),
        ("The answer is C-reactive protein", "C"),
        ("The answer is A patient", None),
        ("Answer: D Vitamin D", "D"),
    ],
)
def test_with_the_options_known_their_text_counts_too(text, letters):
    assert read_choices(text, options_of(PROMPT)) == letters


def test_options_come_from_the_last_run_in_the_prompt():
    few_shot = f"Example\nA. one\nB. two\nAnswer: A\n\n{PROMPT}<|im_end|>"
    assert [letter for letter, _ in options_of(few_shot)] == list("ABCD")
    assert options_of(few_shot)[3] == ("D", "Vitamin D")


def test_options_stand_in_one_line_or_in_the_row():
    assert options_of("哪项？A.肺炎 B.肝炎 C.胃炎") == (("A", "肺炎"), ("B", "肝炎"), ("C", "胃炎"))
    assert options_of("", ["A 肺炎", "B 肝炎"]) == (("A", "肺炎"), ("B", "肝炎"))
    assert options_of("", ["B 肺炎", "C 肝炎"])[0] == ("B", "肺炎")
    assert options_of("no options: Dr. A. Smith") == ()


def test_real_exam_answers_are_read_from_a_sentence(shared_data):
    lines = (shared_data / "medical" / "exam_dev.jsonl").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, lines):
        if row["answer"] == "nan":
            continue  # a published question without answer
        options = options_of("", row["options"])
        assert read_choices(f"综合分析，正确答案为{row['answer']}。", options) == "".join(sorted(row["answer"]))
        assert read_choices("\n".join(row["options"]), options) is None
