"""The base class of every section of the config, and the value types that sections share."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A section of the config: it is frozen, and an unknown key is an error.

    Attributes:
        renamed_keys: the new name of a key by its old one. An old name is accepted with a FutureWarning, for one release.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,  # a section may hold a key that was pasted into it
    )
    renamed_keys: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _accept_old_names(cls, data: Any) -> Any:  # noqa: ANN401  pydantic hands over whatever the file holds
        if not isinstance(data, Mapping):
            return data
        current = dict(data)
        for old in [name for name in cls.renamed_keys if name in current]:
            new = cls.renamed_keys[old]
            if new in current:
                raise ValueError(f"{old!r} is the old name of {new!r}, and both are given: remove {old!r}")
            warnings.warn(
                f"the config key {old!r} is now called {new!r}; the old name will be refused in the next release",
                FutureWarning,
                stacklevel=2,
            )
            current[new] = current.pop(old)
        return current
