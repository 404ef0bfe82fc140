"""``python -m bayesmixed``: the command line without its entry point."""

from .cli.start import main

if __name__ == "__main__":
    main()
