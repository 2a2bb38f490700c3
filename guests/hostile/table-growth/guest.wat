;; Takes table elements until there are none. The limit on them ends the run.
(table $table 1 funcref)
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (loop $on
    (drop (table.grow $table (ref.null func) (i32.const 100)))
    (br $on))
  unreachable)
