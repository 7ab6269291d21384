"""The page on which a person makes the labels true: a server on loopback, and the page itself.

`desk` holds what is looked over, `app` answers the page over HTTP, and `page/` is the page: plain ES modules. Every
change goes through `autolabel.editing.Editor`; this package adds no second way of editing.
"""
