;; Reads a heavy value again and again, each time to the same place. The limit on reads ends it; where the value is large, the
;; deadline does, between two copies of it.
(data (i32.const 0) "domain.data.heavy_x")
(func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
  (local $more i32)
  ;; From the second page on, with as many pages as it takes.
  (local.set $more (i32.sub
    (i32.add (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 2))
    (memory.size)))
  (if (i32.gt_s (local.get $more) (i32.const 0))
    (then (drop (memory.grow (local.get $more)))))
  (i32.const 65536))
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (loop $on
    (call $get (i32.const 0) (i32.const 19) (i32.const 512))
    (br $on))
  unreachable)
