"""`python -m unidelta.cli`: the same as `python train.py`."""

from unidelta.cli.train import main

if __name__ == "__main__":
    main()
