"""Train and evaluate one design on one task: `python train.py method=mam task=xsum`."""

from unidelta.cli.train import main

if __name__ == "__main__":
    main()
