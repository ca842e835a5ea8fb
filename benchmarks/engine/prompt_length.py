"""Bounds on the tokens of a prompt against the true number, by the tokenizer of GPT-4.

    python benchmarks/engine/prompt_length.py

A prompt is not sent where even the lower bound (`least_tokens`) exceeds the model's limit, so that the bound must never
exceed the true number. A budget holds where the upper estimate (`estimate_tokens`) is not below it. Both are printed as a
multiple of the true number, for prose, code, other scripts, and texts that are hard to estimate.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from curator.committee.unsent import least_tokens
from curator.records import Message
from curator.text.tokens import estimate_tokens

ROOT = Path(__file__).parents[2]
TEXTS = {
    "German": "Die Geb\u00fchren f\u00fcr die \u00dcberweisung werden am n\u00e4chsten Tag abgebucht. " * 200,
    "Russian": "\u041f\u043e\u0436\u0430\u043b\u0443\u0439\u0441\u0442\u0430, \u0432\u0435\u0440\u043d\u0438\u0442\u0435 \u0442\u043e\u0432\u0430\u0440. "
    * 200,
    "Chinese": "\u8bf7\u544a\u8bc9\u6211\u5982\u4f55\u7533\u8bf7\u9000\u6b3e\u4ee5\u53ca\u9700\u8981\u591a\u957f\u65f6\u95f4\u3002"
    * 200,
    "numbers": " ".join(str(number * 7919) for number in range(5_000)),
    "hexadecimal": "deadbeef0123cafe" * 2_000,
    "blanks": " " * 20_000 + "word " * 1_000,
    "lines": "-" * 5_000 + "=" * 5_000,
    "emoji": "\U0001f600\U0001f389" * 500,
}


def main() -> None:
    """Print both bounds for each text."""
    package = importlib.util.find_spec("litellm")
    if package is None or package.origin is None:
        raise SystemExit("the tokenizer comes with litellm: pip install litellm")
    os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(package.origin).parent / "litellm_core_utils" / "tokenizers")
    import tiktoken

    tokenizer = tiktoken.get_encoding("cl100k_base")
    english = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md")))
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "curator").rglob("*.py")))
    print(f"{'text':12}  {'true':>7}  {'least':>6}  {'estimate':>8}")
    for name, text in {"English": english[:200_000], "code": code[:200_000], **TEXTS}.items():
        true = len(tokenizer.encode(text, disallowed_special=()))
        messages = [Message("user", text)]
        least, estimate = least_tokens(messages) / true, estimate_tokens(messages, {}) / true
        print(f"{name:12}  {true:7,}  {least:6.2f}  {estimate:8.2f}")


if __name__ == "__main__":
    main()
