package render

// task is one request, from when it is made until it is answered or given up.
type task struct {
	req     Request
	settled chan struct{} // closed once answer or err is there
	answer  Answer
	err     error
	// batch is the one that the task is in; nil while it waits. left tells that
	// nobody wants the answer any more. The queue's lock guards both.
	batch *batch
	left  bool
}

func newTask(req Request) *task {
	return &task{req: req, settled: make(chan struct{})}
}

func (t *task) settle(answer Answer, err error) {
	t.answer, t.err = answer, err
	close(t.settled)
}
