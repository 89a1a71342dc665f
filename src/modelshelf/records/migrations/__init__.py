"""How a library's database comes from any released schema to today's."""
