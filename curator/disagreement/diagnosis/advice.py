"""The advice for each diagnosis, and for each piece of evidence that is missing.

No advice holds a name of the logs or the config: names and figures are in the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from curator.records import DiagnosisName

ADVICE: Mapping[DiagnosisName, str] = {
    "refusing": "Decide whether these inputs are to be answered: if so, change the system prompt or the safety settings; else hand them over on purpose.",
    "format-broken": "Ask for a schema or show the format in the prompt, and check that the parser reads what the model writes.",
    "wrong-tool": "Say in production's prompt and in the tools' descriptions when each of the two tools is to be called, and add these cases as examples.",
    "ambiguous": "Make the input or the task's definition clearer, or let the answer say that it depends.",
    "split-by-model": "Escalate these inputs to the model that the labels support.",
    "prompt-sensitive": "Fix the prompt, starting from the variant that agrees most.",
    "sampling-unstable": "Lower the temperature.",
    "consistently-wrong": "Fine-tune, or give the model the knowledge: asking again, or another of these prompts, gives the same answer.",
    "against-production": "Read production's answers first: its prompt, model or version gives answers that the committee does not give.",
    "stable": "Nothing to fix. Go on labelling random cases here: answers that agree can still be wrong.",
    "cannot-tell": "Label 3 cases.",
    "not-enough-data": "Ask more: two answers or more of each case, at a temperature above 0, on more cases.",
}
"""The advice for each diagnosis where the evidence asks for no other."""

RefusalSide = Literal["production", "committee", "both", "variant", "model"]

REFUSING: Mapping[RefusalSide, str] = {
    "production": "Production refuses where the committee answers: change its system prompt or its safety settings.",
    "committee": "The committee refuses where production answers: change the prompt variants, or leave these inputs out of its score.",
    "both": ADVICE["refusing"],
    "variant": "Change the prompt variant that refuses, and do not use it in production.",
    "model": "Send these inputs to a model that answers them.",
}
UNREADABLE: Mapping[RefusalSide, str] = {
    "production": "Production's answers have another form than the task asks for: ask for a schema or show the format in its prompt, and check the parser.",
    "committee": "The committee's answers have another form than production's: show the format in the prompt variants, or check the kind of the task.",
    "both": ADVICE["format-broken"],
    "variant": "Show the format in the prompt variant whose answers cannot be read, and do not use it in production.",
    "model": "Ask this model for a schema, or leave it out: its answers cannot be read.",
}
PRODUCTION_IS_RIGHT = "Leave production as it is: the labels support it and not the committee. Do not fine-tune on the committee's answers."
LABELLED_AGAINST_PRODUCTION = (
    "Change production's prompt, model or version towards the committee's: the labels support the committee."
)
NO_LABELS_FOR_MODELS = "Label 3 cases to see which model is right, and escalate these inputs to it."

MissingEvidence = Literal["repeats", "cold", "second prompt", "judge", "labels", "cases"]
DECIDED_BY: Mapping[MissingEvidence, str] = {
    "repeats": "Ask each prompt twice: two answers of one prompt show whether the prompt or chance decides.",
    "cold": "Ask each prompt at temperature 0 too: answers that then agree show sampling noise, answers that still differ an unclear input.",
    "second prompt": "Ask with a second prompt variant: repeats of one prompt at a low temperature agree in any case.",
    "judge": "Set `equivalence.method: judge`: words alone do not show whether two texts mean the same.",
    "labels": ADVICE["cannot-tell"],
    "cases": "Ask more cases of this kind.",
}
"""The step that would decide between the causes that are left, by the evidence that is missing."""
