;; The function that frees the result never comes back. The fuel ends the run, and nothing of it stays.
(data (i32.const 0) "domain.data.a")
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $set (i32.const 0) (i32.const 13) (i32.const 512) (i32.const 1))
  (call $ok (i32.const 512) (i32.const 1)))
(func (export "cabi_post_theus:process/processes@0.1.0#run") (param i32)
  (loop $on (br $on)))
