"""Chat templates written anew, with the traits that are reported of their publishers' own."""

_PARTS = (
    "{% for c in m['content'] %}{% if c['type'] == 'image' %}IMAGE"
    "{% elif c['type'] == 'text' %}{{ c['text'] }}{% endif %}{% endfor %}"
)
_FIND_IMAGES = (
    "{% set found = namespace(images=false) %}{% for m in messages %}{% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}{% set found.images = true %}{% endif %}{% endfor %}{% endfor %}"
)
_LLAMA_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] | trim %}"
    "{% set messages = messages[1:] %}{% else %}{% set system = '' %}{% endif %}"
)
_LLAMA_REST = (
    "{% if system %}<|start_header_id|>system<|end_header_id|>\n\n{{ system }}<|eot_id|>{% endif %}"
    "{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    + _PARTS.replace("IMAGE", "<|image|>")
    + "{% endif %}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
LLAMA = _LLAMA_SYSTEM + _LLAMA_REST
"""Takes instructions as text only: a list of parts is printed as a list."""
LLAMA_FIRST = (
    _LLAMA_SYSTEM
    + _FIND_IMAGES
    + "{% if found.images and system %}{{ raise_exception('Images and a system message do not mix.') }}"
    "{% endif %}" + _LLAMA_REST
)
"""The first revision also refuses instructions that come with a picture."""
LLAMA_TEXT_ONLY = (
    "{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n{{ m['content'] | trim }}"
    "<|eot_id|>{% endfor %}<|start_header_id|>assistant<|end_header_id|>\n\n"
)
"""The template that transformers' conversion code writes: text only."""
DEEPSEEK = (
    "You are a model's own instructions.\n\n{% for m in messages %}{{ m['role'].capitalize() }}: "
    + _PARTS.replace("IMAGE", "<image_placeholder>")
    + "{% if m['role'] == 'user' %}{{ '\n\n' }}{% else %}</s>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
"""Begins with instructions of its own; a message of the system ends with the end-of-text token."""
QWEN = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}"
    "<|im_start|>system\nYou are helpful.<|im_end|>\n"
    "{% endif %}<|im_start|>{{ m['role'] }}\n{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    + _PARTS.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>")
    + "{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SMOLVLM = (
    "<|im_start|>{% for m in messages %}{{ m['role'] | capitalize }}"
    "{% if m['content'][0]['type'] == 'image' %}:{% else %}: {% endif %}"
    + _PARTS.replace("IMAGE", "<image>")
    + "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)
