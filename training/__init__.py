"""How the shipped models are made from data: one package a model, one command each."""
