(comment) @comment
(magic) @keyword.directive

(data_heading) @module
(save_heading) @module
(save_end) @module
(loop_keyword) @keyword

(name) @property
(table_key) @property

(quoted_string) @string
(triple_quoted_string) @string
(text_field) @string

; A number with or without its standard uncertainty.
((bare_value) @number
  (#match? @number "^[-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?(\\([0-9]+\\))?$"))

; Unknown and inapplicable.
((bare_value) @constant.builtin
  (#any-of? @constant.builtin "?" "."))

["[" "]" "{" "}"] @punctuation.bracket
":" @punctuation.delimiter

(unterminated_string) @error
(unterminated_triple) @error
(unterminated_text) @error
(stray_values) @error
(unexpected) @error
