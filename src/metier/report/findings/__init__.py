"""Findings of a report as files that people read: HTML, DOCX and XLSX, the source's picture beside each finding."""
