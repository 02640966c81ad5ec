"""The facts of a backbone that decide how many parameters a design has: no weights, no torch."""

from dataclasses import dataclass

from unidelta.design.axes import Family, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Sizes of a Transformer backbone.

    Args:
        family: which architecture.
        name: how the backbone is called in records, e.g. `bart-large`.
        vocab_size: rows of the (tied) token embedding.
        encoder_layers: number of encoder layers.
        decoder_layers: number of decoder layers, 0 for encoders.
        d_model: model width d.
        d_ffn: inner width of the FFN.
        n_heads: attention heads.
        max_positions: longest input in tokens.
        type_vocab_size: rows of the segment embedding, 0 for BART and mBART.
        n_labels: outputs of the classification head, 0 for BART and mBART.
        published_denominator: the parameter count by which the paper divides for this backbone, if it is
            not the backbone's own (the paper divides by BART-large for mBART too).
    """

    family: Family
    name: str
    vocab_size: int
    encoder_layers: int
    decoder_layers: int
    d_model: int
    d_ffn: int
    n_heads: int
    max_positions: int
    type_vocab_size: int = 0
    n_labels: int = 0
    published_denominator: int | None = None

    @property
    def n_attentions(self) -> int:
        """Attention sub-layers in all layers: self in the encoder, self and cross in the decoder."""
        return self.encoder_layers + 2 * self.decoder_layers

    @property
    def n_ffns(self) -> int:
        """FFN sub-layers in all layers."""
        return self.encoder_layers + self.decoder_layers

    @property
    def attention_kinds(self) -> dict[str, int]:
        """Kinds of attention and the number of layers of each; one prefix MLP serves one kind."""
        if self.family.is_encoder_decoder:
            return {
                "encoder_self": self.encoder_layers,
                "decoder_self": self.decoder_layers,
                "decoder_cross": self.decoder_layers,
            }
        return {"encoder_self": self.encoder_layers}

    def n_sites(self, slot: Slot) -> int:
        """Number of sub-layers of a kind."""
        return self.n_attentions if slot is Slot.ATTN else self.n_ffns

    @property
    def n_biases(self) -> int:
        """Elements of all biases, as BitFit tunes them: linear maps and layer norms, head included."""
        d, layers = self.d_model, self.encoder_layers
        attention, ffn = 4 * d, self.d_ffn + d
        if self.family.is_encoder_decoder:
            norms = 2 * layers + 3 * self.decoder_layers + 2  # per layer, plus one after each embedding
            norms += 2 if self.family.is_pre_norm else 0  # mBART ends each stack with one
            return self.n_attentions * attention + self.n_ffns * ffn + norms * d
        # embeddings' norm, then the head: RoBERTa d→d→labels, BERT pooler d→d and d→labels
        return layers * (attention + ffn + 2 * d) + d + (d + self.n_labels)

    @property
    def n_head_weights(self) -> int:
        """Elements of the classification head's matrices (RoBERTa: dense and out_proj; BERT: classifier)."""
        if self.family is Family.ROBERTA:
            return self.d_model * self.d_model + self.d_model * self.n_labels
        return self.d_model * self.n_labels

    @property
    def n_head_biases(self) -> int:
        """Elements of the classification head's biases."""
        if self.family is Family.ROBERTA:
            return self.d_model + self.n_labels
        return self.n_labels

    @property
    def n_parameters(self) -> int:
        """All parameters of the backbone with its head, tied embeddings counted once."""
        d = self.d_model
        matrices = 4 * d * d * self.n_attentions + 2 * d * self.d_ffn * self.n_ffns
        embeddings = self.vocab_size * d
        if self.family.is_encoder_decoder:
            # learned positions of both stacks start at 2 in BART and mBART
            embeddings += 2 * (self.max_positions + 2) * d
            norms = 2 * self.encoder_layers + 3 * self.decoder_layers + 2
            norms += 2 if self.family.is_pre_norm else 0
            head = 0
        else:
            embeddings += (self.max_positions + self.type_vocab_size) * d
            norms = 2 * self.encoder_layers + 1
            head = d * d + d * self.n_labels  # RoBERTa's head or BERT's pooler and classifier
        return embeddings + matrices + head + norms * d + self.n_biases  # norms * d: their weights
