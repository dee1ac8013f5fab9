"""An evaluation in; out comes what a page says of it: the chart as read, pictures over time, each rule's reasons."""
