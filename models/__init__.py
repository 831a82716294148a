"""The head counter's workshop: training, quantisation, evaluation. Not part of the appliance."""
