package plan

// TaskList is a list of tasks that one goroutine has found while collecting.
//
// Start starts the tasks and does not wait for them: the only wait of a query is the one of Run.Execute
// between the two phases, so that each resolver starts as soon as its own parents have been loaded,
// whatever its siblings do. This works with one WaitGroup, because a task adds its own tasks before
// it ends: the count cannot be zero while any task is left.
//
// A task that is started in another goroutine recovers its panics. The last one runs in the goroutine
// of the caller, which saves a goroutine for each level of the plan with a single call, and its
// panics are recovered there.
type TaskList struct {
	x     *Run
	last  func()
	tasks []func() // those before the last, nil for a single task
}

// NewTaskList returns an empty list of tasks.
func (x *Run) NewTaskList() *TaskList { return &TaskList{x: x} }

// Add adds a task to the list.
func (w *TaskList) Add(task func()) {
	if w.last != nil {
		w.tasks = append(w.tasks, w.last)
	}
	w.last = task
}

// Start starts all tasks at the same time, the last one in the goroutine of the caller.
func (w *TaskList) Start() {
	x := w.x
	for _, task := range w.tasks {
		x.group.Go(func() { x.recoverFailure(task) })
	}
	if w.last != nil {
		w.last()
	}
}

// StartAndWait does the tasks, waits for all tasks of the run that they have started, and empties the list.
// Only the root of a mutation calls it, between its fields, when no other task of the run exists.
func (w *TaskList) StartAndWait() {
	w.Start()
	w.x.group.Wait()
	w.tasks, w.last = nil, nil
}
