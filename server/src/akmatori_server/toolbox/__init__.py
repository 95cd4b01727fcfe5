"""Using tools during an investigation: every call is checked, limited, journalled, masked and audited here."""
