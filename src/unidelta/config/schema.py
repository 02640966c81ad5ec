"""Every key a user can type, with its type and default: the root dataclass that checks all YAML.

Values that belong to a closed set are strings here and become enums in `resolve`, which reports all
problems at once. `null` means "not said": the method, the convention or the host decides.
"""

from dataclasses import dataclass, field
from typing import Any

from unidelta.design.request import (
    BudgetConfig,
    CompositionConfig,
    InsertionConfig,
    MethodConfig,
    PositionConfig,
    Request,
)


@dataclass
class BackboneConfig:
    """A pretrained model: the published one's facts, and where weights come from."""

    name: str = "???"
    family: str = "???"  # an architecture, as model_type in config.json
    hub_id: str = "???"
    hub_revision: str | None = None  # a commit, tag or branch of hub_id; null: the newest
    package: str | None = None  # at scale=small: an installed package, and the folder in it with the weights
    checkpoint: str | None = None  # a local folder or a hub id; null: the scale's own
    head: str = "auto"  # auto | new: a classification head from the seed in place of the checkpoint's own
    attn_implementation: str = "sdpa"  # sdpa | eager
    quantised: str = "none"  # none | 8bit | 4bit: frozen linear weights, by bitsandbytes
    config: dict[str, Any] = field(default_factory=dict)  # the published model's config.json, as far as counts need it
    bottlenecks_of: str | None = None  # the backbone for which methods' bottlenecks are meant; null: this one
    published_denominator: int | None = None  # by which the paper divides; null: the backbone's own size
    dropout: float | None = None  # overrides the checkpoint's; null leaves it
    attention_dropout: float | None = None


@dataclass
class GenerationConfig:
    """Decoding of a task that generates text."""

    num_beams: int = 1
    max_length: int = 60
    min_length: int = 0
    no_repeat_ngram_size: int = 0
    length_penalty: float = 1.0


@dataclass
class ColumnsConfig:
    """Columns of a data set by what a task makes of them; `translation.en` is `en` within `translation`."""

    source: str | None = None  # of summarization and translation
    target: str | None = None
    text: str | None = None  # of classification
    text_pair: str | None = None  # null: one text
    label: str | None = None  # numbers or names


@dataclass
class TaskConfig:
    """A task: what its rows are, where they come from, how predictions are scored (docs/tasks.md)."""

    name: str = "???"
    title: str | None = None  # for people; null: the name
    kind: str = "???"  # summarization | translation | classification
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    labels: list[str] | None = None  # names of the classes in their order; null: those of the training split
    metrics: list[str] = field(default_factory=list)  # the first one's headline is the score of tables
    select_by: str | None = None  # the score that chooses the best step, or loss; null: the headline
    source: str = "scale"  # scale | hub | local | mini; scale: mini at scale=mini, else hub
    path: str | None = None  # the folder of source=local, the hub id of source=hub
    hub_id: str | None = None
    hub_config: str | None = None
    hub_revision: str | None = None  # a commit, tag or branch of hub_id; null: the newest
    max_source_length: int = 512
    max_target_length: int | None = None
    eval_max_target_length: int | None = None
    eval_split: str = "validation"  # the best step is chosen on it; train[-2000:] holds out the last rows of train
    test_split: str | None = None  # null: the dev split is reported
    extra_eval_splits: list[str] = field(default_factory=list)
    mini_test_splits: list[str] = field(default_factory=list)  # reported with source=mini, where the others have none
    max_train_examples: int | None = None  # first rows of train, which is read and counted even if nothing trains
    max_eval_examples: int | None = None  # first rows of the dev split on which the best step is chosen
    max_test_examples: int | None = None  # first rows of every reported split
    max_unknown_share: float = 0.2  # of the tokens of a split's sources or targets; above it a run is refused
    source_language: str | None = None
    target_language: str | None = None
    generation: GenerationConfig | None = None
    prompt: str | None = None  # of a decoder-only model, {source} in braces; null: every source on a line of its own
    chat: bool = False  # of a decoder-only model: the tokenizer's chat template around the prompt
    classify_by: str = "head"  # of a decoder-only model: head (on the last token) | words (the likeliest label's)
    label_words: list[str] | None = None  # with classify_by=words, in the order of the labels; null: their names


@dataclass
class TrainingConfig:
    """Optimisation (Table 8)."""

    max_steps: int | None = None
    epochs: float | None = None
    learning_rate: float | None = 5e-5  # null: the one in `tuned` for the most similar design
    tuned: dict[str, dict[str, dict[float, float]]] = field(default_factory=dict)  # rates by family, design and percent
    schedule: str = "polynomial"  # polynomial | linear | constant
    warmup_steps: int = 0
    warmup_ratio: float = 0.0
    batch_size: int = 16  # examples per forward pass
    accumulation: int = 1  # forward passes per step; torchrun divides them, the batch stays
    max_tokens: int | None = None  # tokens per forward pass in place of batch_size; null counts examples
    static_batches: bool = False  # with max_tokens: the same batches in the same order every epoch
    loss_normalisation: str = "tokens"  # tokens: mean over the step; micro_batches: mean of its passes' means
    eval_batch_size: int = 32
    weight_decay: float = 0.01
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    adam_epsilon: float = 1e-8
    max_grad_norm: float = 1.0
    label_smoothing: float = 0.0
    precision: str = "auto"  # auto | fp32 | bf16 | fp16
    eval_every: int | None = None  # steps; null: at the end only
    evaluate_each_epoch: bool = False  # the GLUE runs of the paper
    head: str = "conventions"  # conventions | frozen | trained: the classification head's weights
    gradient_checkpointing: bool = False  # activations are computed again in the backward pass: less memory, slower
    backbone_dtype: str = "auto"  # of frozen linear weights: auto (the precision's) | float32 | bfloat16 | float16
    log_every: int | None = None  # steps whose losses are read at once; null: 1 on the CPU, 10 on a GPU
    device: str = "auto"  # auto | cpu | cuda
    progress: bool = True
    save_every_minutes: float | None = 5.0  # between checkpoints; 0: at every log_every; null: only when stopped


@dataclass
class ScaleConfig:
    """The world a run lives in; a table never mixes two."""

    name: str = "???"  # mini | small | paper


@dataclass
class MiniConfig:
    """The embedded miniature."""

    seed: int = 0  # of the world; backbones of one world know nothing of another


@dataclass
class TrackingConfig:
    """Where a run can be watched. It changes neither a run's numbers nor its name."""

    name: str = "???"  # wandb | tensorboard | none
    folder: str | None = None  # files go to <folder>/wandb or <folder>/tensorboard; null: WANDB_DIR, else results_dir
    mode: str = "auto"  # of W&B: auto (online where a key is set and the server answers) | offline | online
    project: str | None = None  # of W&B; null: WANDB_PROJECT, else unidelta
    entity: str | None = None  # of W&B, a user or a team; null: WANDB_ENTITY, else the account's own
    group: str | None = None  # of W&B; null: WANDB_RUN_GROUP, else the method, and in a sweep the sweep's name


@dataclass
class RunConfig:
    """The root: everything after `python train.py`."""

    method: MethodConfig = field(default_factory=MethodConfig)
    position: PositionConfig = field(default_factory=PositionConfig)
    insertion: InsertionConfig = field(default_factory=InsertionConfig)
    composition: CompositionConfig = field(default_factory=CompositionConfig)
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    task: TaskConfig = field(default_factory=TaskConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    scale: ScaleConfig = field(default_factory=ScaleConfig)
    mini: MiniConfig = field(default_factory=MiniConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    layers: Any = "all"  # which layers of each stack have the deltas: all | first:4 | last:2 | [0,5]
    tokens: str = "all"  # which tokens of the source LoReFT edits: all | first:4 | last:4 | first:4+last:4
    conventions: str = "released"  # released | paper
    seed: int = 42
    dry_run: bool = False  # print the design and its counts, without weights or data
    force: bool = False  # run again although a complete record exists
    resume: str = "auto"  # on another machine or thread count: strict (refuse) | any (note it) | auto: strict on a CPU
    save_deltas: bool = True  # keep what was tuned, for `unidelta.load`
    save_model: bool = False  # keep the whole model of full fine-tuning, for from_pretrained
    fast: bool = True  # what only makes a run faster; false leaves it out, for comparison
    results_dir: str = "results/runs"
    plan: str | None = None  # a file that says what the runs are to decide; the record holds its SHA-256

    def request(self) -> Request:
        """What is asked of the design."""
        return Request(
            method=self.method,
            position=self.position,
            insertion=self.insertion,
            composition=self.composition,
            budget=self.budget,
            layers=self.layers,
            tokens=self.tokens,
            conventions=self.conventions,
            head=self.training.head,
        )


PATHS = ("results_dir", "plan", "task.path", "tracking.folder", "backbone.checkpoint")
"""Keys whose value is a path; that of a checkpoint may be a hub id."""

GROUPS = (
    "method",
    "position",
    "insertion",
    "composition",
    "budget",
    "backbone",
    "training",
    "task",
    "scale",
    "scale_task",
    "tuned",
    "tracking",
    "experiment",
)


@dataclass
class ComposedConfig(RunConfig):
    """A configuration together with the words that it was composed of."""

    typed: tuple[str, ...] = field(default=(), compare=False)  # after `python train.py`, as typed
    said: tuple[str, ...] = field(default=(), compare=False)  # the value keys of the experiment that was chosen, dotted
