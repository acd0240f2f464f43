"""``python -m sessiondb`` is the same as the command ``sessiondb``."""

from sessiondb.cli import main

if __name__ == "__main__":
    main()
