"""What the reference model is taught: one function for each skill, which makes a sample with random numbers."""

from .conversation import recall
from .grounded import fact, rag
from .instructions import basic, copy, summary, unicode
from .structured import json_object
from .thinking import think
from .tools import tool_result, tools

SKILLS = {
    "rag": rag,
    "fact": fact,
    "recall": recall,
    "basic": basic,
    "json": json_object,
    "tools": tools,
    "toolresult": tool_result,
    "think": think,
    "unicode": unicode,
    "summary": summary,
    "copy": copy,
}
