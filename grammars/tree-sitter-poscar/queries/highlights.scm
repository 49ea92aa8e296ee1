(comment) @comment
(remark) @comment
(numbers) @number
(flags) @boolean
(element) @type
(selective_dynamics) @keyword
(mode) @keyword
(row (word) @comment)
(control) @error
