"""`python -m unidelta.cli`: `train.py` where the package is installed as a wheel, and has no `train.py` beside it."""

from unidelta.cli.train import main

if __name__ == "__main__":
    main()
