"""Parameter-efficient transfer learning as one equation, `h ← compose(h, form(x or h))` (He et al., ICLR 2022)."""

__version__ = "0.1.0"
