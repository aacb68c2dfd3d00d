"""Traffic control: what ``tc`` shows. Queueing disciplines, their classes, and the filters that choose.

A root qdisc of ours is ours with everything below it: its classes and filters go and come with it.
"""
