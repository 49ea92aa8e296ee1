(comment) @comment
(remark) @comment
(numbers) @number
(flag) @boolean
(element) @type
(selective_dynamics) @keyword
(mode) @keyword
(lattice_velocities) @keyword
(row (word) @comment)
(control) @error
