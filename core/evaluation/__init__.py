"""From stored predictions to figures: predictions -> metrics (frozen reports) -> tables and charts."""
