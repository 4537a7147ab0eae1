package plan

// Work is a list of tasks that one goroutine has found while collecting.
//
// Do starts the tasks and does not wait for them: the only wait of a query is the one of Run.Execute
// between the two phases, so that each resolver starts as soon as its own parents have been loaded,
// whatever its siblings do. This works with one WaitGroup, because a task adds its own tasks before
// it ends: the count cannot be zero while any task is left.
//
// A task that is started in another goroutine recovers its panics. The last one runs in the goroutine
// of the caller, which saves a goroutine for each level of the plan with a single call, and its
// panics are recovered there.
type Work struct {
	x     *Run
	last  func()
	tasks []func() // those before the last, nil for a single task
}

// Work returns an empty list of tasks.
func (x *Run) Work() *Work { return &Work{x: x} }

// Add adds a task to the list.
func (w *Work) Add(task func()) {
	if w.last != nil {
		w.tasks = append(w.tasks, w.last)
	}
	w.last = task
}

// Do starts all tasks at the same time, the last one in the goroutine of the caller.
func (w *Work) Do() {
	x := w.x
	for _, task := range w.tasks {
		x.group.Go(func() { x.recoverFailure(task) })
	}
	if w.last != nil {
		w.last()
	}
}

// Wait does the tasks, waits for all tasks of the run that they have started, and empties the list.
// Only the root of a mutation calls it, between its fields, when no other task of the run exists.
func (w *Work) Wait() {
	w.Do()
	w.x.group.Wait()
	w.tasks, w.last = nil, nil
}
