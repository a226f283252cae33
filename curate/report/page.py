def page(report, details):
    return "<html></html>"
