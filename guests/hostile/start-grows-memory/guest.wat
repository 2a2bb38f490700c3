;; The start function takes all the memory that there is, and more. The memory limit ends it.
(start $begin)
(func $begin
  (loop $on
    (drop (memory.grow (i32.const 100)))
    (br $on)))
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $ok (i32.const 512) (i32.const 1)))
