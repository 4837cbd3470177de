"""The workbench in a browser: pages with addresses, in Chinese and English."""
