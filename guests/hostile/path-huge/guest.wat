;; Names a place with 60 MB of text. The limit on paths ends the run.
(data (i32.const 0) "domain.data.a")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (drop (memory.grow (i32.const 920)))
  (memory.fill (i32.const 13) (i32.const 0x61) (i32.const 60000000))
  (drop (call $remove (i32.const 0) (i32.const 60000000)))
  unreachable)
