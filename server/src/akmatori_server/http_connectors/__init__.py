"""HTTP connectors: APIs made into kinds of tools by declaration."""
