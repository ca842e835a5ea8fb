"""The models of `configs/*.yaml`. Every default of the product lives here, once.

Paths in a config are relative to the config's own folder; paths on the command line are relative to where it is typed.
"""

from curator.config.categories import AttributeConfig, CategoriesConfig, NamesConfig
from curator.config.committee import (
    AdaptiveConfig,
    BudgetConfig,
    CommitteeConfig,
    EquivalenceConfig,
    EquivalenceMethod,
    JudgeConfig,
    Mode,
    ModelConfig,
    Price,
    Provider,
)
from curator.config.job import Config
from curator.config.judge import AnswerJudgeConfig
from curator.config.labelling import LabellingConfig
from curator.config.load import load_config, parse_config, parse_equivalence
from curator.config.logs import DedupeConfig, FieldMapping, LogsConfig, TaskConfig
from curator.config.loop import LoopConfig, StopConfig, TrainerConfig
from curator.config.section import Positive, Section, Share
from curator.config.selection import ClusteringConfig, EmbeddingConfig, HeldOutConfig, OutputsConfig, SelectionConfig

__all__ = [
    "AdaptiveConfig",
    "AnswerJudgeConfig",
    "AttributeConfig",
    "BudgetConfig",
    "CategoriesConfig",
    "ClusteringConfig",
    "CommitteeConfig",
    "Config",
    "DedupeConfig",
    "EmbeddingConfig",
    "EquivalenceConfig",
    "EquivalenceMethod",
    "FieldMapping",
    "HeldOutConfig",
    "JudgeConfig",
    "LabellingConfig",
    "LogsConfig",
    "LoopConfig",
    "Mode",
    "ModelConfig",
    "NamesConfig",
    "OutputsConfig",
    "Positive",
    "Price",
    "Provider",
    "Section",
    "SelectionConfig",
    "Share",
    "StopConfig",
    "TaskConfig",
    "TrainerConfig",
    "load_config",
    "parse_config",
    "parse_equivalence",
]
