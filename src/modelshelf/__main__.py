"""`python -m modelshelf` is the command `shelf`."""

from modelshelf.cli import main

if __name__ == "__main__":
    main()
