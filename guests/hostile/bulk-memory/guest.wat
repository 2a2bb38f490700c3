;; Fills all of its memory again and again, with one instruction each time. Such an instruction costs by its length: the
;; fuel ends it.
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (drop (memory.grow (i32.const 900)))
  (loop $on
    (memory.fill (i32.const 0) (i32.const 1) (i32.mul (memory.size) (i32.const 65536)))
    (br $on))
  unreachable)
