"""What people open: tables, plots and a page; reads no files, computes nothing."""
