"""Train and evaluate one design on one task: `python train.py method=mam task=xsum`.

The fish shell completes the arguments of scripts in which it finds `@hydra.main`.
"""

from unidelta.cli.train import main

if __name__ == "__main__":
    main()
