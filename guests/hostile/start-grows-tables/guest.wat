;; The start function takes all the table elements that there are, and more. The limit on them ends it.
(table $table 1 funcref)
(start $begin)
(func $begin
  (loop $on
    (drop (table.grow $table (ref.null func) (i32.const 1000)))
    (br $on)))
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $ok (i32.const 512) (i32.const 1)))
