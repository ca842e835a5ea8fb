"""Answers as models write them, of every kind: what is asked, the raw text, and the key it must be read as."""

from __future__ import annotations

import pytest

from curator.answers.kind_detection import detect_task_kind
from curator.answers.read import detect_kind, read_answer
from curator.disagreement.equivalence.comparers import meaning
from curator.records import Kind

CITIES = "What is the capital of France?\n(A) Rome\n(B) Paris\n(C) Berlin\n(D) London\nAnswer:"
DOTTED = "What is the capital of France?\nA. Rome\nB. Paris\nC. Berlin\nD. London"
INLINE = "Which one is a fruit? Answer Choices: (A) chair (B) apple (C) the tall table (D) dog (E) cat"
PAREN = "Choose the fruit: A) chair B) apple C) dog"
DATES = "Today is Christmas Eve of 1937. What is the date tomorrow in MM/DD/YYYY?\nOptions:\n(A) 12/11/1937\n(B) 12/25/1937\n(C) 01/04/1938\nA:"
VALID = '"All men are mortal. Socrates is a man. Hence he is mortal." Is the argument valid or invalid?\nOptions:\n- valid \n- invalid\nA:'
NAVIGATE = "If you follow these instructions, do you return to the starting point? Turn left. Take 5 steps.\nOptions:\n- Yes\n- No\nA:"
LETTERED_YES = "Did it rain?\n(A) Yes\n(B) No\n(C) Cannot be known"
FEW_SHOT = "Q: Which is red?\nA. sky\nB. rose\nAnswer: B\n\nQ: Which is blue?\nA. sky\nB. rose\nC. grass\nAnswer:"
NUMBERED = "Which of the following is a metal?\n1. wood\n2. iron\n3. glass"
STRATEGY = "Yes or no: would a pear sink in water?"

CHOICES = [
    (CITIES, "B", "b"),
    (CITIES, "b", "b"),
    (CITIES, "(B)", "b"),
    (CITIES, "B)", "b"),
    (CITIES, "B.", "b"),
    (CITIES, "B) Paris", "b"),
    (CITIES, "(B) Paris.", "b"),
    (CITIES, "B: Paris", "b"),
    (CITIES, "B - Paris", "b"),
    (CITIES, "Paris", "b"),
    (CITIES, "paris.", "b"),
    (CITIES, "**Paris**", "b"),
    (CITIES, "The answer is Paris", "b"),
    (CITIES, "The answer is Paris, the capital of France.", "b"),
    (CITIES, "The capital of France is Paris.", "b"),
    (CITIES, "Answer: B", "b"),
    (CITIES, "**Answer:** B", "b"),
    (CITIES, "**Answer: B**", "b"),
    (CITIES, "**Answer: (B) Paris**", "b"),
    (CITIES, "### Answer\n\nB", "b"),
    (CITIES, "## Final Answer:\n**B. Paris**", "b"),
    (CITIES, "**Final Answer**\nB", "b"),
    (CITIES, "Therefore, among A through D, the answer is B.", "b"),
    (CITIES, "So the answer is (B).", "b"),
    (CITIES, "Rome is in Italy, so (A) is wrong. Berlin is in Germany. So the answer is (b).", "b"),
    (CITIES, "The correct answer is **B) Paris**.", "b"),
    (CITIES, "The correct option is B.", "b"),
    (CITIES, "The correct choice is (B) Paris, because it is.", "b"),
    (CITIES, "Option B is correct.", "b"),
    (CITIES, "B is the correct answer.", "b"),
    (CITIES, "**B** is the right answer, as everybody knows.", "b"),
    (CITIES, "I would choose option B.", "b"),
    (CITIES, "I'd go with B.", "b"),
    (CITIES, "$\\boxed{B}$", "b"),
    (CITIES, "The final answer is $\\boxed{\\text{B}}$.", "b"),
    (CITIES, "\\boxed{(B)}", "b"),
    (CITIES, "\\boxed{\\text{(B) Paris}}", "b"),
    (CITIES, "<think>It may be (A) or (C).</think>\n\n(B)", "b"),
    (CITIES, "<think>\nRome? No.\n</think>\nThe answer is B.", "b"),
    (CITIES, "The answer is B.\n\nQ: What is the capital of Italy?\n(A) Rome\nA: The answer is A.", "b"),
    (CITIES, "(B)\n\nQuestion: What is 3 + 4?\nAnswer: C", "b"),
    (CITIES, "B<|im_end|>\n<|im_start|>user\nA", "b"),
    (CITIES, "The answer is B.\n\nNote: I am an AI, so the correct answer is best checked with an atlas.", "b"),
    (CITIES, "Answer: B\nExplanation: Rome is the capital of Italy.", "b"),
    (CITIES, "B\n\nExplanation: Paris is the capital, while Rome (A) and Berlin (C) are not.", "b"),
    (CITIES, "B. Paris\n\nParis has been the capital since 987.", "b"),
    (CITIES, "The best answer is: B", "b"),
    (CITIES, "The answer is not (A). The answer is (B).", "b"),
    (CITIES, "Die Antwort ist B.", "b"),
    (CITIES, "Die richtige Antwort lautet: B", "b"),
    (CITIES, "La respuesta es B", "b"),
    (CITIES, "La respuesta correcta es (B) Paris.", "b"),
    (CITIES, "La réponse est B.", "b"),
    (CITIES, "Réponse : B", "b"),
    (CITIES, "A resposta correta é B.", "b"),
    (CITIES, "La risposta corretta è B.", "b"),
    (CITIES, "答案是 B", "b"),
    (CITIES, "所以答案是B。", "b"),
    (CITIES, "正确答案：B", "b"),  # noqa: RUF001
    (CITIES, "正解はBです。", "b"),
    (CITIES, "정답은 B입니다.", "b"),
    (CITIES, "Правильный ответ: B", "b"),
    (CITIES, "Answer choice B", "b"),
    (CITIES, "The answer would be B", "b"),
    (CITIES, "My answer: B", "b"),
    (CITIES, "Selected option: (B)", "b"),
    (CITIES, "C", "c"),
    (CITIES, "The answer is London.", "d"),
    (CITIES, "It is a city, and it has a river that runs through it.", ""),
    (CITIES, "None of the above", "none of the above"),
    (DOTTED, "B", "b"),
    (DOTTED, "B. Paris", "b"),
    (DOTTED, "It has to be Paris.", "b"),
    (INLINE, "(B)", "b"),
    (INLINE, "apple", "b"),
    (
        INLINE,
        "The answer must be something that grows. Of the above choices, only apples grow. So the answer is (b).",
        "b",
    ),
    (INLINE, "Of these, a tall table is furniture, so the answer is the tall table.", "c"),
    (PAREN, "B", "b"),
    (PAREN, "The answer is apple", "b"),
    (DATES, "(B)", "b"),
    (DATES, "12/25/1937", "b"),
    (DATES, "If today is Christmas Eve, tomorrow is Christmas, 12/25/1937. So the answer is (B).", "b"),
    (DATES, "(B) 12/25/1937", "b"),
    (VALID, "valid", "valid"),
    (VALID, "The argument follows. So the answer is valid.", "valid"),
    (VALID, "The argument is invalid.", "invalid"),
    (VALID, "**Invalid**", "invalid"),
    (LETTERED_YES, "Yes", "a"),
    (LETTERED_YES, "No, it did not.", "b"),
    (LETTERED_YES, "(C)", "c"),
    (FEW_SHOT, "C", "c"),
    (FEW_SHOT, "sky", "a"),
    (NUMBERED, "2", "2"),
    (NUMBERED, "iron", "2"),
    (NUMBERED, "2. iron", "2"),
    ("", "(C)", "c"),
    ("", "C", "c"),
    ("", "Alice has the ball at the end, so the answer is (C).", "c"),
]
AQUA = "A car goes 5 km in 1 hour. How far does it go in 2? Answer Choices: (a) 5 km (b) 10 km (c) 15 km"
STATEMENTS = (
    "Which statement is sarcastic?\nOptions:\n(A) Great, more rain.\n(B) Great, more sun.\nA: Let's think step by step."
)
CHOICES += [
    (AQUA, "(b)", "b"),
    (AQUA, "10 km", "b"),
    (AQUA, "The car goes 5 * 2 = 10 km. Therefore, among (a) through (c), the answer is (b).", "b"),
    (AQUA, "5 * 2 = 10. The answer is 10 km.", "b"),
    (AQUA, "The answer is b) 10 km.", "b"),
    (
        STATEMENTS,
        "If we look at (A), it is about rain.\nIf we look at (B), it is about sun.\nAbove the above, (A) is sarcastic. So the answer is (A).",
        "a",
    ),
    (STATEMENTS, "(A) Great, more rain.", "a"),
    (STATEMENTS, "(A)\nQ: Which statement is sarcastic?\nOptions:\n(A) Fine.\n(B) Good.\nA: (B)", "a"),
    (STATEMENTS, "The sarcastic statement is (A).", "a"),
    (CITIES, "Let's think step by step. (A) is in Italy, (C) in Germany, and (D) in England. That leaves (B).", "b"),
    (CITIES, "Rome is in Italy.\nBerlin is in Germany.\nThat leaves Paris.", "b"),
    (CITIES, "Let's see.\n\n- A: Italy\n- C: Germany\n\n**Correct answer: B**", "b"),
    (CITIES, "Answer:\nB", "b"),
    (CITIES, "A: B", "b"),
    (CITIES, "The answer is option B (Paris).", "b"),
    (CITIES, "The answer is: **B**.", "b"),
    (CITIES, "The answer to this question is B.", "b"),
    (CITIES, "Hence, B is correct.", "b"),
    (CITIES, "The right answer here is B, Paris.", "b"),
    (CITIES, "Final answer - B", "b"),
    (CITIES, '{"answer": "B"}', "b"),
    (CITIES, "```\nB\n```", "b"),
    (CITIES, "`B`", "b"),
    (CITIES, '"B"', "b"),
    (CITIES, "[B]", "b"),
    (CITIES, "<answer>B</answer>", "b"),
    (CITIES, '{"answer": "B", "reason": "Rome is in Italy"}', "b"),
    (CITIES, "Rome (A) is in Italy. <answer>(B)</answer> Was that helpful?", "b"),
    (CITIES, "It's B.", "b"),
    (CITIES, "It is (B) Paris.", "b"),
    (CITIES, "I believe the answer is B, but I am not certain.", "b"),
    (CITIES, "The answer is B because Rome is the capital of Italy.", "b"),
    (CITIES, "B because Rome is the capital of Italy.", "b"),
    (CITIES, "**Answer:** Paris (B)", "b"),
    (CITIES, "Correct Answer: Option B) Paris", "b"),
    (CITIES, "The answer is A. Wait, no. The answer is B.", "b"),
]
CHOICES += [
    (
        CITIES,
        "Let us look closely at what (B) says about the country: it names a city by the river which, as is well known,",
        "",
    )
]
CHOICES += [
    (CITIES, "A, B", "a,b"),
    (CITIES, "A and B", "a,b"),
    (CITIES, "(B), (A)", "a,b"),
    (CITIES, "The answer is A, B and D.", "a,b,d"),
    (CITIES, "Both A and C are correct.", "a,c"),
    (CITIES, "A, A", "a"),
    (CITIES, "A, E", "a"),
    ("", "B/A", "a,b"),
]
BOOLEANS = [
    (STRATEGY, "Yes", "yes"),
    (STRATEGY, "yes.", "yes"),
    (STRATEGY, "Yes, because it is dense.", "yes"),
    (STRATEGY, "**No.** Pears float.", "no"),
    (STRATEGY, "The density of a pear is 0.6. Water is denser. Thus, a pear would float. So the answer is no.", "no"),
    (STRATEGY, "A pear floats. So no.", "no"),
    (STRATEGY, "A pear floats. Therefore, no, it would not sink.", "no"),
    (STRATEGY, "Answer: no", "no"),
    (STRATEGY, "The final answer is: **No**", "no"),
    (STRATEGY, "<think>yes?</think>no", "no"),
    (STRATEGY, "No - pears float", "no"),
    (STRATEGY, "\\boxed{\\text{No}}", "no"),
    (STRATEGY, "So the answer is no.\n\nQ: Is the sun cold?\nA: So the answer is yes.", "no"),
    (STRATEGY, "Nein.", "no"),
    (STRATEGY, "Die Antwort ist Nein.", "no"),
    (STRATEGY, "Ja, weil es so ist", "yes"),
    (STRATEGY, "Ja, natürlich.", "yes"),
    (STRATEGY, "Sí", "yes"),
    (STRATEGY, "La réponse est non.", "no"),
    (STRATEGY, "答案是否。", "no"),
    (STRATEGY, "不是。", "no"),
    (
        NAVIGATE,
        "We start at the origin (0, 0). (1) Turn left. (2) Take 5 steps. Since (-5, 0) is not (0, 0), we do not return. So the answer is No.",
        "no",
    ),
    ("not ( True ) and ( True ) is", "True", "yes"),
    (
        "not ( True ) and ( True ) is",
        "Z = not (True) and (True) = False and True = False. So the answer is False.",
        "no",
    ),
    ("not ( True ) and ( True ) is", "The expression evaluates to False.", "no"),
    ("True or false: ice is warm.", "The statement is false.", "no"),
    ("True or false: ice is warm.", "False", "no"),
    (
        "Is it plausible?",
        "Kyle Palmieri is a hockey player. Being called for slashing is part of hockey. So the answer is yes.",
        "yes",
    ),
    (STRATEGY, "It depends.", ""),
    (STRATEGY, "Nobody knows.", ""),
]
BOOLEANS += [
    (STRATEGY, '{"answer": "no"}', "no"),
    (STRATEGY, "<answer>no</answer>", "no"),
    (STRATEGY, "`no`", "no"),
    (STRATEGY, "**Answer**: No", "no"),
    (STRATEGY, "Step 1: density.\nStep 2: compare.\n\nNo", "no"),
    (STRATEGY, "It would float.\n\n**Conclusion:** No, it would not sink.", "no"),
    (STRATEGY, 'Therefore, the answer is "no".', "no"),
    (STRATEGY, "The answer: No.", "no"),
    (STRATEGY, "The answer is definitely no.", "no"),
    (STRATEGY, "In short, yes.", "yes"),
    (STRATEGY, "The coin was flipped 2 times. The coin is still heads up. So the answer is yes.", "yes"),
]
ALLOWED = "Is it allowed?"
BOOLEANS += [
    (ALLOWED, "Certainly not.", "no"),
    (ALLOWED, "It is not allowed.", "no"),
    (ALLOWED, "It isn't allowed", "no"),
    (ALLOWED, "It is allowed.", "yes"),
    (ALLOWED, "It is not forbidden.", ""),
    (ALLOWED, "Unfortunately not.", "no"),
    (ALLOWED, "I don't think so.", "no"),
    (ALLOWED, "Absolutely.", "yes"),
    (ALLOWED, "Certainly.", "yes"),
    (ALLOWED, "Of course.", "yes"),
    (ALLOWED, "y", "yes"),
    (ALLOWED, "n", "no"),
    ("Is it not allowed?", "It is not allowed.", ""),
]
HOW_MANY = "How many apples are there?"
NUMBERS = [
    (HOW_MANY, "42", "42"),
    (HOW_MANY, "**Final answer:** 42 apples", "42"),
    (HOW_MANY, "The answer (arabic numerals) is 8.", "8"),
    (HOW_MANY, "Therefore, the answer (arabic numerals) is 1,000 apples.", "1000"),
    (
        HOW_MANY,
        "There are 15 trees originally. Then there were 21 trees. So there must have been 21 - 15 = 6. The answer is 6.",
        "6",
    ),
    (HOW_MANY, "The final answer is $\\boxed{42}$.", "42"),
    (HOW_MANY, "$$\\boxed{\\frac{1}{2}}$$", "1/2"),
    (HOW_MANY, "\\boxed{1{,}000}", "1000"),
    (HOW_MANY, "\\[ 6 \\times 7 = 42 \\]", "42"),
    (HOW_MANY, "6 × 7 = 42 apples", "42"),  # noqa: RUF001
    (HOW_MANY, "She has 3 bags with 14 apples each.\n\nTotal: 3 * 14 = **42** apples", "42"),
    (HOW_MANY, "Answer: 42\n\nNote that 3 of these are green.", "42"),
    (HOW_MANY, "### Answer\n42", "42"),
    (HOW_MANY, "<think>maybe 41</think>42", "42"),
    (HOW_MANY, "42\n\nQuestion: How many pears are there?\nAnswer: 3", "42"),
    (HOW_MANY, "The answer is 42.\n\nHuman: and pears?\nAssistant: 7", "42"),
    (HOW_MANY, "The answer is 42. I hope this helps, and that the correct answer is clear.", "42"),
    (HOW_MANY, "Die Antwort ist 42", "42"),
    (HOW_MANY, "La respuesta es 42 manzanas.", "42"),
    (HOW_MANY, "La réponse est 3,5.", "7/2"),
    (HOW_MANY, "答案是42个苹果。", "42"),
    (HOW_MANY, "答えは42です。", "42"),
    (HOW_MANY, "Forty-two", "42"),
    (HOW_MANY, "forty-two apples", "42"),
    (HOW_MANY, "There are forty-two apples.", "42"),
    (HOW_MANY, "The answer is three hundred.", "300"),
    (HOW_MANY, "three hundred and five", "305"),
    (HOW_MANY, "two thousand one hundred", "2100"),
    (HOW_MANY, "a dozen", "12"),
    (HOW_MANY, "1 thousand", "1000"),
    (HOW_MANY, "1,000", "1000"),
    (HOW_MANY, "1000", "1000"),
    (HOW_MANY, "1000.00", "1000"),
    (HOW_MANY, "1.5 million", "1500000"),
    (HOW_MANY, "$3M", "3000000"),
    (HOW_MANY, "3k", "3000"),
    (HOW_MANY, "3.2 × 10^5", "320000"),  # noqa: RUF001
    (HOW_MANY, "1/2", "1/2"),
    (HOW_MANY, "0.5", "1/2"),
    (HOW_MANY, "½", "1/2"),
    (HOW_MANY, "one half", "3/2"),
    (HOW_MANY, "50%", "50"),
    (HOW_MANY, "50 percent", "50"),
    (HOW_MANY, "$3", "3"),
    (HOW_MANY, "€3,50", "7/2"),
    (HOW_MANY, "1.234,50 EUR", "2469/2"),
    (HOW_MANY, "He had 5 dollars. He spent 2. So he concludes that $3 is what is left.", "3"),
    (HOW_MANY, "32.5", "65/2"),
    (HOW_MANY, "x = 3", "3"),
    (HOW_MANY, "The answer is x = 3 (since 2x = 6).", "3"),
    (HOW_MANY, "-16", "-16"),
    (HOW_MANY, "((-1 + 2 + 9 * 5) - (-2 + -4 + -4 * -7)) = (46 - 22) = 24. So the answer is 24.", "24"),
    (
        HOW_MANY,
        "I have a flute, a piano, a trombone, four stoves, and a violin: 1 + 1 + 1 + 1 = 4. So the answer is 4.",
        "4",
    ),
    (HOW_MANY, "approximately 42", "42"),
    (HOW_MANY, "42 km/h", "42"),
    (HOW_MANY, "#### 42", "42"),
    (HOW_MANY, "I cannot count them.", ""),
]
NUMBERS += [
    (HOW_MANY, '{"answer": 42}', "42"),
    (HOW_MANY, "<answer>42</answer>", "42"),
    (HOW_MANY, "```\n42\n```", "42"),
    (HOW_MANY, "**Answer: $18** per day for 9 eggs", "18"),
    (HOW_MANY, "So, Janet makes $18 per day.\n\nFinal Answer: \\( \\boxed{18} \\)", "18"),
    (HOW_MANY, "9 eggs \u00d7 $2/egg = $18/day", "18"),
    (HOW_MANY, "Janet makes 9 * 2 = 18 dollars.\n\nLet me know if you have more questions!", "18"),
    (HOW_MANY, "The answer is 8 - 3 = 5 apples.", "5"),
    (HOW_MANY, "The answer is $24.00.", "24"),
    (HOW_MANY, "The answer is approximately 3.14.", "157/50"),
    (HOW_MANY, "The total is 10 + 20 + 30 = 60 minutes, or 1 hour. The answer is 60.", "60"),
    (HOW_MANY, "Therefore, the final answer is -7.", "-7"),
    (HOW_MANY, "Answer: two", "2"),
    (HOW_MANY, "There are 3 apples and 4 pears, so 7 fruits.", "7"),
    (HOW_MANY, "The answer is 5 apples (3 red and 2 green).", "5"),
    (HOW_MANY, "42.", "42"),
    (HOW_MANY, "= 42", "42"),
    (HOW_MANY, "1\u202f234\u202f567", "1234567"),
    (HOW_MANY, "1\u202f234", "1234"),
    (HOW_MANY, "2 1/2", "5/2"),
    (HOW_MANY, "minus five", "-5"),
    (HOW_MANY, "5\n\nInput: How many pears?\nOutput: 6", "5"),
    (HOW_MANY, "zero", "0"),
    (HOW_MANY, "No apples are left, so the answer is 0.", "0"),
]
NUMBERS += [(HOW_MANY, "3 M", "3"), (HOW_MANY, "3M", "3"), (HOW_MANY, "$3B", "3000000000")]
RATE = "Rate the reply on a scale from 1 to 5."
NUMBERS += [
    (RATE, "4/5", "4"),
    (RATE, "4 out of 5", "4"),
    (RATE, "Rating: 4/5", "4"),
    (RATE, "I would rate this a 4.", "4"),
    (HOW_MANY, "4 out of 5", "4/5"),
]
NUMBERS += [
    (HOW_MANY, "5 pm", ""),
    (HOW_MANY, "The shop opens at 9:00 AM.", ""),
    (HOW_MANY, "09:00", ""),
    (HOW_MANY, "From 8:00 to 10:00 it is 2 hours", "2"),
    (HOW_MANY, "the 1990s", ""),
    (HOW_MANY, "Q3 2021", ""),
]
MINUTES = "How many minutes are in 2.5 hours?"
NUMBERS += [
    (MINUTES, "There are 150 minutes in 2.5 hours.", "150"),
    (MINUTES, "2.5 hours is 150 minutes.", "150"),
    ("What is 5 percent of 200?", "10 is 5 percent of 200.", "10"),
    (HOW_MANY, "The total is $1,234.50, due on 2024-05-01.", "2469/2"),
    (HOW_MANY, "You pay 20 dollars by May 1, 2024.", "20"),
    (HOW_MANY, "The price is $30.00 after the discount of $10.", "30"),
    (HOW_MANY, "He is 3 years old and has a total of 8.", "8"),
    (HOW_MANY, "The price is 40, which gives 30 after a cut of 10.", "10"),
    (HOW_MANY, "-5 to 10 is 15 degrees, not 5.", "15"),
    (HOW_MANY, "It is not 5.", ""),
    (HOW_MANY, "√2", ""),
    (HOW_MANY, "The answer is 2√2.", ""),
    (HOW_MANY, "√16 = 4", "4"),
    (HOW_MANY, "3 or 4", ""),
    (HOW_MANY, "three or four", ""),
    (HOW_MANY, "The answer is 3 or 4.", ""),
    (HOW_MANY, "It takes 3 days or 4 days.", ""),
    (HOW_MANY, "0.5 or 50%", "50"),
    (HOW_MANY, "60 minutes or 1 hour", "1"),
    (HOW_MANY, "between 3 and 5", ""),
    (HOW_MANY, "It is between 3 and 5 days.", ""),
    (HOW_MANY, "The difference between 3 and 5 is 2.", "2"),
    (HOW_MANY, "3-5 days", ""),
    (HOW_MANY, "from 3 to 5", ""),
    (HOW_MANY, "10^3", "1000"),
    (HOW_MANY, "10³", "1000"),
    (HOW_MANY, "10^{-3}", "1/1000"),
    (HOW_MANY, "3 * 10^3", "3000"),
    (HOW_MANY, "The answer is 2^5.", "32"),
]
SENTIMENT = "Classify the review as positive, negative or neutral: great film!"
CHOICES += [
    (SENTIMENT, "positive", "positive"),
    (SENTIMENT, "The sentiment of this review is positive.", "positive"),
    (SENTIMENT, "Sentiment: **Positive**", "positive"),
    (SENTIMENT, "I'd call it positive.", "positive"),
    (SENTIMENT, "It is neither positive nor negative, so I would call it neutral.", ""),
]
DATE_ROWS = [
    ("", "2021-03-04", "2021-03-04"),
    ("", "2021/3/4", "2021-03-04"),
    ("", "March 4, 2021", "2021-03-04"),
    ("", "4 March 2021", "2021-03-04"),
    ("", "the 4th of March, 2021", "2021-03-04"),
    ("", "Mar. 4th 2021", "2021-03-04"),
    ("", "Thursday, March 4, 2021.", "2021-03-04"),
    ("", "03/04/2021", "2021-03-04"),
    ("", "3/4/21", "2021-03-04"),
    ("", "13/04/2021", "2021-04-13"),
    ("", "4.3.2021", "2021-03-04"),
    ("Give it as DD/MM/YYYY.", "03/04/2021", "2021-04-03"),
    ("Give it as DD/MM/YYYY.", "04/13/2021", "2021-04-13"),
    ("", "March 2021", "2021-03"),
    ("", "2021", "2021"),
    ("", "March 4", "--03-04"),
    ("", "The meeting was moved from May 1, 2020, so the answer is March 4, 2021.", "2021-03-04"),
    ("", "It began on 3 March 2021 and ended on 4 March 2021.", "2021-03-04"),
    ("", "**Date:** 2021-03-04", "2021-03-04"),
    ("", "2021-03-04T14:30:00Z", "2021-03-04T14:30"),
    ("", "March 4, 2021 at 2:30 pm", "2021-03-04T14:30"),
    ("", "February 30, 2021", ""),
    ("", "some day", ""),
    ("", "5 pm", "T17:00"),
    ("", "Opens 5 am", "T05:00"),
    ("", "9 am", "T09:00"),
    ("", "09:00", "T09:00"),
    ("", "The shop opens at 9:00 AM.", "T09:00"),
    ("", "9:00", "T09:00"),
    ("", "9 o'clock", "T09:00"),
    ("", "12 am", "T00:00"),
    ("", "9:75", ""),
    ("", "Q3 2021", "2021-Q3"),
    ("", "2021-Q3", "2021-Q3"),
    ("", "the 1990s", ""),
]
SHORT_ROWS = [
    ("", "nk", "nk"),
    (
        "",
        'The last letter of "Elon" is "n". The last letter of "Musk" is "k". Concatenating them is "nk". The answer is nk.',
        "nk",
    ),
    ("", 'So the answer is "nk".', "nk"),
    ("", "apple banana cherry", "apple banana cherry"),
    ("", "The sorted list is below. So the answer is apple, banana, cherry.", "apple banana cherry"),
    ("", "] ) }", "])}"),
    ("", "We need to close the brackets. So the answer is ] ) }.", "])}"),
    ("", "The Matrix", "matrix"),
    ("", "**The Matrix**", "matrix"),
    ("", "Answer: The Matrix", "matrix"),
    ("", "<think>hm</think> The Matrix.", "matrix"),
    ("", "I think it was The Matrix.", "matrix"),
    ("What is the capital of France?", "The capital of France is Paris.", "paris"),
    ("What of Rome?", "Rome is old", "rome is old"),
    ("", "√2", "√2"),
    ("Which grade?", "A-", "a-"),
    ("Which grade?", "A", "a"),
    ("", "It is not The Matrix", "it is not matrix"),
]
A_CALL = '[{"arguments":{"city":"Paris","days":2},"name":"weather"}]'
CALLS = [
    (
        "",
        '{"tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\\"city\\": \\"Paris\\", \\"days\\": 2}"}}]}',
        A_CALL,
    ),
    (
        "",
        '[{"id": "c2", "type": "function", "function": {"name": "weather", "arguments": "{\\"days\\": 2.0, \\"city\\": \\"Paris\\"}"}}]',
        A_CALL,
    ),
    ("", '{"type": "tool_use", "id": "t", "name": "weather", "input": {"city": "Paris", "days": 2}}', A_CALL),
    (
        "",
        '{"content": [{"type": "text", "text": "I look."}, {"type": "tool_use", "name": "weather", "input": {"days": 2, "city": "Paris"}}]}',
        A_CALL,
    ),
    ("", '{"name": "weather", "arguments": {"city": "Paris", "days": 2}}', A_CALL),
    ("", '{"name": "weather", "parameters": {"city": "Paris", "days": 2}}', A_CALL),
    ("", '```json\n{"name": "weather", "arguments": {"city": "Paris", "days": 2}}\n```', A_CALL),
    ("", 'I will look it up: {"name": "weather", "arguments": {"city": "Paris", "days": 2}}', A_CALL),
    ("", '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris", "days": 2}}\n</tool_call>', A_CALL),
    ("", 'Thought: I look.\nAction: weather\nAction Input: {"city": "Paris", "days": 2}', A_CALL),
    ("", 'weather(city="Paris", days=2)', A_CALL),
    ("", '[weather(city="Paris", days=2)]', A_CALL),
    ("", '{"functionCall": {"name": "weather", "args": {"city": "Paris", "days": 2}}}', A_CALL),
    (
        "",
        '{"type": "function_call", "name": "weather", "arguments": "{\\"city\\": \\"Paris\\", \\"days\\": 2}"}',
        A_CALL,
    ),
    ("", "Which city do you mean?", "[]"),
]
TWO = '[{"arguments":{"x":1},"name":"f"},{"arguments":{"x":2},"name":"f"}]'
CALLS += [
    ("", '[{"name": "f", "arguments": {"x": 1}}, {"name": "f", "arguments": {"x": 2}}]', TWO),
    (
        "",
        '<tool_call>{"name": "f", "arguments": {"x": 2}}</tool_call>\n<tool_call>{"name": "f", "arguments": {"x": 1}}</tool_call>',
        TWO,
    ),
]
A_FUNCTION = "def add(a, b):\n    return a + b"
CODES = [
    ("", "def add(a, b):\n    return a + b", A_FUNCTION),
    ("", "def add(a,b):\n  # sums\n  return a+b", A_FUNCTION),
    ("", 'def add(a, b):\n    """Sum."""\n    return (a + b)', A_FUNCTION),
    ("", "Sure:\n```python\ndef add(a, b):\n    return a + b\n```\nIt adds.", A_FUNCTION),
    ("", "```\ndef add(a, b):\n    return a + b\n```", A_FUNCTION),
    ("", "```sql\nSELECT a FROM t; -- all\n```", "select[from:t select:a]"),
    ("", "```sql\nselect  a\nfrom t\n```", "select[from:t select:a]"),
    ("", "SELECT a FROM t;", "select[from:t select:a]"),
    ("", "```js\nlet a = 1; // one\n```", "let a=1"),
    ("", "```javascript\nlet a=1;\n```", "let a=1"),
]
TABLE: list[tuple[str, str, Kind, str]] = [
    (asked, text, kind, key)
    for kind, rows in (
        ("choice", CHOICES),
        ("boolean", BOOLEANS),
        ("number", NUMBERS),
        ("date", DATE_ROWS),
        ("short", SHORT_ROWS),
        ("tool_call", CALLS),
        ("code", CODES),
    )
    for asked, text, key in rows
]


@pytest.mark.parametrize(("asked", "text", "kind", "key"), TABLE)
def test_an_answer_is_read_as_it_is_meant(asked: str, text: str, kind: Kind, key: str) -> None:
    assert read_answer(text, kind, input=asked).key == key


def test_the_table_is_wide() -> None:
    assert len(TABLE) >= 150


@pytest.mark.parametrize(("asked", "text", "key"), [row for row in CHOICES if row[2]])
def test_a_label_gives_the_same_option_as_a_choice(asked: str, text: str, key: str) -> None:
    assert read_answer(text, "label", input=asked).key == key


GROUPS: list[tuple[str, list[str], Kind]] = [
    (CITIES, ["B", "Paris", "The answer is (B)."], "choice"),
    (CITIES, ["Paris is the capital. So the answer is (B).", "Rome is. The answer is A."], "choice"),
    (CITIES, ["(B)", "None of the above"], "choice"),
    (CITIES, ["(B)", "Paris lies on the Seine, while Rome lies on the"], "choice"),
    (CITIES, ["Paris", "Rome"], "choice"),
    (CITIES, ["Paris is the capital of France.", "The capital of France is Rome."], "choice"),
    (DOTTED, ["B. Paris", "C"], "choice"),
    (INLINE, ["The answer must grow. So the answer is (b).", "So the answer is (e)."], "choice"),
    (DATES, ["(B)", "12/25/1937"], "choice"),
    (VALID, ["valid", "So the answer is invalid."], "choice"),
    (NAVIGATE, ["Yes", "We do not return. So the answer is No."], "boolean"),
    (STRATEGY, ["Pears float. So the answer is no.", "Pears are dense. So the answer is yes."], "boolean"),
    (STRATEGY, ["Yes, pears are denser than water in most cases.", "No, a pear would float on the water."], "boolean"),
    ("", ["Pears float. So the answer is no.", "Yes"], "boolean"),
    ("not True and True is", ["False", "not True = False. So the answer is False.", "True"], "boolean"),
    (HOW_MANY, ["The answer (arabic numerals) is 8.", "The answer (arabic numerals) is 9."], "number"),
    (
        HOW_MANY,
        ["Altogether there are 8 apples in the two large baskets.", "He has 9 apples left when the day is over."],
        "number",
    ),
    (HOW_MANY, ["There are **8** apples.", "8"], "number"),
    (HOW_MANY, ["forty-two", "40"], "number"),
    ("", ["\\boxed{42}", "So $x = 41$ and $\\boxed{41}$"], "number"),
    (
        "Sort these words: cherry apple banana date elder fig grape hazel iris",
        [
            "apple banana cherry date elder fig grape hazel iris",
            "So the answer is apple banana cherry date elder fig hazel grape iris.",
        ],
        "short",
    ),
    ("Complete the rest of the sequence: [ ( {", ["} ) ]", "We close them in turn. So the answer is } ) ]."], "short"),
    ("Complete the rest of the sequence: { [", ["] }", "[ ]", "] }"], "short"),
    ('Take the last letters of "Elon Musk".', ["nk", "The last letters are n and k. So the answer is nk."], "short"),
    (
        "Do hamsters feed other animals?",
        ["Yes. Owls eat these whenever they can.", "No. Hamsters are pets, and no animal eats these."],
        "boolean",
    ),
    (
        "Tell me whether you can help me, please. I have waited for a week now.",
        ["Yes, we can help you with that right now.", "No, we cannot, as we are closed."],
        "text",
    ),
    (ALLOWED, ["Yes", "Certainly not.", "It is not allowed.", "Absolutely."], "boolean"),
    ("", ["yes", "y", "n", "n"], "boolean"),
    (CITIES, ["A, B", "A and B", "A"], "choice"),
    ("Select all that apply.", ["A, B", "A and B", "A"], "choice"),
    ("Is this toxic? yes/no", ["no", "No, it isn't", "not toxic"], "boolean"),
    (
        "Classify the review as positive, negative or neutral: great film!",
        ["positive", "The sentiment of this review is positive.", "Sentiment: Positive"],
        "choice",
    ),
    ("Choose one of: cat, dog, bird", ["cat", "dog", "The answer is bird."], "choice"),
    (
        "Which team?\nCategories:\n- billing: whatever is about money\n- delivery: parcels",
        ["billing", "This belongs to delivery."],
        "choice",
    ),
    ("Answer with A, B or C. Which is best?", ["A", "I would say A, since it is cheap."], "choice"),
    ("Which of them?\n1) red\n2) blue", ["2", "blue"], "choice"),
    ("Rate it from 1 to 5.", ["4", "4/5", "I would rate this a 4."], "number"),
    (HOW_MANY, ["There are five apples in the basket.", "**5**", "I count 5 apples in all of it."], "number"),
    (
        "How much is the postage?",
        [
            "It costs $5 for orders below $50, and nothing above that.",
            "You pay $4 for orders below $60, as the page says.",
        ],
        "text",
    ),
    (
        "Write a query.",
        ["SELECT * FROM users;", "Here is the query:\n\n```sql\nselect *\nfrom users\n```\n\nThis selects all rows."],
        "code",
    ),
    ("Answer with exactly one of: card_arrival, card_linking.", ["card arrival", "It must be card_linking."], "choice"),
    ("Is it entailment, contradiction or neutral?", ["entailment", "The answer is neutral."], "choice"),
    (HOW_MANY, ["There are 72 apples.", "He sold 24 in May and 48 in April, so 72.", "The answer is 72"], "number"),
    ("What is the capital of France?", ["Paris", "The capital of France is Paris."], "short"),
    ("Who was it?", ["I think it was Bob.", "Bob", "It was Bob"], "short"),
    ("Name a film like it.", ["The Matrix", "Inception"], "short"),
    ("What day is it?", ["March 4, 2021", "2021-03-05", "The answer is 5 March 2021."], "date"),
    ("When does it open?", ["5 pm", "5 am", "Opens 5 am"], "date"),
    ("When does it open?", ["9 am", "09:00", "The shop opens at 9:00 AM.", "9:00"], "date"),
    ("When did it end?", ["September 2, 1945", "May 8, 1945", "1945", "1945"], "date"),
    ("", ["1945", "1946"], "number"),
    ("", ["√2", "2"], "number"),
    ("", ["4", "3 or 4", "between 3 and 5"], "number"),
    ("", ["3 or 4", "between 3 and 5"], "short"),
    ("", [CALLS[0][1], CALLS[2][1], "Which city do you mean?"], "tool_call"),
    ("", [CALLS[8][1], CALLS[7][1]], "tool_call"),
    ("", ['{"name": "Ann", "age": 3}', '{"name": "Bob", "age": 4}'], "json"),
    ("", ["{'label': 'x'}", '{"label": "y",}'], "json"),
    ("Write a function.", [CODES[0][1], CODES[3][1]], "code"),
    ("", [CODES[5][1], "SELECT b\nFROM t"], "code"),
    (
        "Write to the customer.",
        [
            "Dear Ann, we are sorry that your parcel is late. It comes on Friday.",
            "Dear Ann, it was sent today and will come tomorrow. Kind regards",
        ],
        "text",
    ),
    (
        "A. Read the text below.\nB. Sum it up.\n\nThe parcel was late.",
        ["A parcel came late, and nobody knows why it did.", "The text says that a parcel was late."],
        "text",
    ),
]


@pytest.mark.parametrize(("asked", "answers", "kind"), GROUPS)
def test_the_kind_is_found_from_answers_and_input(asked: str, answers: list[str], kind: Kind) -> None:
    assert detect_kind(answers, input=asked) == kind


ODD = [
    "I'm sorry, but I can't help with that.",
    "I cannot answer this.",
    "Lo siento, no puedo ayudar.",
    "抱歉\uff0c我无法回答。",
]


@pytest.mark.parametrize(("asked", "text", "kind", "key"), [row for row in TABLE if row[3]][::7])
def test_a_refusal_and_an_empty_answer_equal_no_answer_and_not_each_other(
    asked: str, text: str, kind: Kind, key: str
) -> None:
    answer = meaning(read_answer(text, kind, input=asked))
    refused = {meaning(read_answer(refusal, kind, input=asked)) for refusal in ODD}
    empty = {
        meaning(read_answer(nothing, kind, input=asked))
        for nothing in ("", " \n", "<think>Let me see", "<think>hm</think>")
    }
    assert len(refused) == len(empty) == 1
    assert len({answer, *refused, *empty}) == 3


def test_a_task_has_the_kind_that_nearly_all_of_its_inputs_speak_for() -> None:
    cities = [(["Paris", "B"], CITIES), (["apple", "It must be the tall table."], INLINE), (["(B)", "Rome"], CITIES)]
    assert detect_task_kind([*cities, ([], CITIES)]) == "choice"
    assert (
        detect_task_kind([*cities, (["Dear Ann, it was sent to you two days ago."], "Where is it, please?")] * 2)
        == "choice"
    )
    assert (
        detect_task_kind([cities[0], *[(["Dear Ann, it was sent to you two days ago."], "Where is it?")] * 3]) == "text"
    )
    assert detect_task_kind([(["billing"], "My bill is wrong."), (["delivery"], "It is late.")] * 30) == "label"
    assert detect_task_kind([]) == "text"
