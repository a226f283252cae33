"""Does a mix train a better model? Small language models trained on equal bytes, and what reference texts cost them."""
