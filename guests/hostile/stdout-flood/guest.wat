;; Prints empty lines, 4096 in each call, long after the log is full. A line costs fuel whether it is kept or not: the fuel ends
;; it.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush" (func $print (param i32 i32 i32 i32)))
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (local $out i32)
  (local.set $out (call $stdout))
  (memory.fill (i32.const 16384) (i32.const 10) (i32.const 4096))
  (loop $on
    (call $print (local.get $out) (i32.const 16384) (i32.const 4096) (i32.const 64))
    (br $on))
  unreachable)
