"""
Lets TqSdk 1.8.2, which is of 2020, start on Python 3.11: names that the language and numpy have dropped since exist again.
No file of the client is changed.
"""

import asyncio
import asyncio.tasks

import numpy

# The one in Python: the compiled one takes no new attributes.
asyncio.Task = asyncio.tasks.Task = asyncio.tasks._PyTask
asyncio.Task.current_task = staticmethod(lambda loop=None: asyncio.current_task(loop))
asyncio.coroutine = lambda function: function


class Queue(asyncio.queues.Queue):
    def __init__(self, maxsize=0, *, loop=None):
        super().__init__(maxsize)


asyncio.Queue = Queue

for name, kind in (("float", float), ("int", int), ("bool", bool), ("object", object)):
    if name not in numpy.__dict__:
        setattr(numpy, name, kind)
